"""A method with what it stretches: everything that decides where a longer text's tokens stand, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import Extension
from qdrant_embed.long_context.positions import capacity, group_and_window, ntk_lambda


@dataclass(frozen=True, slots=True)
class ExtensionPlan:
    """An extension of a certain model.

    :param extension: The method and the length that it reaches.
    :param trained: The window that is stretched (L_o); a text that fits it is read as without the extension.
    :param kind: `learned` or `rotary` positions.
    :raises ConfigurationError: SelfExtend's settings do not reach that length.
    """

    extension: Extension
    trained: int
    kind: str

    def __post_init__(self) -> None:
        group, window = self.group_and_window
        reached = capacity(self.trained, group, window)
        if self.extension.method == "selfextend" and (window > self.trained or reached < self.extension.tokens):
            fitting = group_and_window(self.trained, self.extension.tokens)
            raise ConfigurationError(
                f"{self.extension}: a group of {group} and a window of {window} reach {reached} tokens of "
                f"{self.trained} positions, (L_o - w) · g + w; leave both out, or give e.g. "
                f"g={fitting[0]},w={fitting[1]}."
            )

    @property
    def factor(self) -> int:
        """How many times the trained window the target is, s = ceil(L_t / L_o)."""
        return -(-self.extension.tokens // self.trained)

    @property
    def group_and_window(self) -> tuple[int, int]:
        """SelfExtend's g and w, as given or as LongEmbed's table 6 has them."""
        group, window = group_and_window(self.trained, self.extension.tokens)
        return int(self.extension.setting("g", group)), int(self.extension.setting("w", window))

    @property
    def ntk_lambda(self) -> float:
        """NTK's λ, as given or by LongEmbed's table 6."""
        return self.extension.setting("lambda", ntk_lambda(self.factor))

    @property
    def dynamic_factor(self) -> float:
        """The factor of dynamic NTK, as given or, as transformers has it, that of the target to the trained window."""
        return self.extension.setting("factor", max(1.0, self.extension.tokens / self.trained))
