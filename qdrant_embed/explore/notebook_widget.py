"""The page as a widget of a notebook: the same files, whose questions go through the kernel, not through a port."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qdrant_embed.explore.web_app import static_files
from qdrant_embed.extras import require_extra
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import pandas as pd

    from qdrant_embed.explore.explorer_session import ExplorerSession

_IMPORTED = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def joined_modules(first: str = "widget.js") -> str:
    """Return the page's modules as one: a widget is one module, and has no place to import others from.

    Each stands once, behind those that it imports; a module's names at its top are its own in all of them.
    """
    order: list[str] = []

    def visit(name: str) -> None:
        for other in _IMPORTED.findall(static_files()[name]):
            visit(other)
        if name not in order:
            order.append(name)

    visit(first)
    texts = [static_files()[name] for name in order]
    bodies = [_EXPORT.sub("", _IMPORTED.sub("", text)) for text in texts[:-1]]
    return "\n".join([*bodies, _IMPORTED.sub("", texts[-1])])


def joined_styles() -> str:
    """Return the page's styles as one text."""
    return "\n".join(text for name, text in sorted(static_files().items()) if name.endswith(".css"))


def explorer_widget(session: ExplorerSession) -> Any:
    """Return a widget that shows a session.

    :raises MissingExtraError: anywidget is not installed.
    """
    require_extra("explore() in a notebook", "widget")
    import anywidget

    class ExplorerWidget(anywidget.AnyWidget):
        """The page in a notebook; `selection` has what is selected in its map."""

        _esm = joined_modules()
        _css = joined_styles()

        def __init__(self) -> None:
            super().__init__()
            self.on_msg(self._answer)

        @property
        def selection(self) -> pd.DataFrame:
            """The chunks that are selected in the map, as a data frame."""
            return session.frame()

        def close(self) -> None:
            """Take the widget away, and call off what is computed for it."""
            session.close()
            super().close()

        def _answer(self, _: Any, message: Json, __: Any) -> None:
            found = session.ask(str(message.get("name")), message.get("given") or {})
            self.send({"number": message.get("number"), "found": found})

    return ExplorerWidget()
