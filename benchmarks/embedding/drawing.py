"""The figures as a plot."""

from pathlib import Path


def draw(figures: dict, corpora: tuple[str, ...], file: Path) -> None:
    """Draw tokens per second of each contender, the rounds as dots."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = sorted(figures, key=lambda name: figures[name][corpora[0]]["tokens_per_s"])
    panes = plt.subplots(1, len(corpora), figsize=(11, 0.5 * len(names) + 1.4), sharey=True)
    figure, axes = panes[0], panes[1]
    for axis, corpus in zip(axes, corpora, strict=True):
        for place, name in enumerate(names):
            own = figures[name][corpus]
            color = "#b5174b" if name.startswith("qdrant-embed") else "#7a7f87"
            axis.barh(place, own["tokens_per_s"], color=color, height=0.62)
            rounds = own["tokens_per_s_of_each_round"]
            axis.plot(rounds, [place] * len(rounds), "k.", markersize=3)
            axis.text(max(rounds), place, f"  {own['tokens_per_s']:,}", va="center", fontsize=8)
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.set_xlim(0, 1.2 * max(figures[name][corpus]["tokens_per_s"] for name in names))
        axis.set_title(f"tokens/s, {corpus}", fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=130)
    plt.close(figure)
