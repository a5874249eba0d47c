"""SelfExtend: true distances to near tokens, grouped ones to far tokens (Jin et al. 2024; LongEmbed, section 3.3)."""

from __future__ import annotations


def capacity(trained: int, group: int, window: int) -> int:
    """Return how many tokens a group size and a window reach: (L_o - w) · g + w."""
    return (trained - window) * group + window


def group_and_window(trained: int, tokens: int) -> tuple[int, int]:
    """Return g and w that reach a length: g = s + 1 and w = L_o / s, as in LongEmbed's table 6.

    With these the capacity is L_o · s exactly where s divides L_o; where it does not, g is raised until it suffices.
    """
    factor = -(-tokens // trained)
    if factor <= 1:
        return 1, trained
    window, group = max(1, trained // factor), factor + 1
    while capacity(trained, group, window) < tokens:
        group += 1
    return group, window


def shift(group: int, window: int) -> int:
    """Return what is added to grouped places, so that distances go on where the window ends: w - floor(w / g)."""
    return window - window // group
