import json
import sys

from qdrant_embed.cli.commands import evaluate as command


def test_what_to_take_is_said_and_written(cli, ingested, tmp_path):
    found = cli("evaluate", "--n", 12, "-k", 3, "--plot", "plot.png", "--page", "page.html", "--json")
    assert found.code == 0, found.err
    assert found.json["chosen"] in {"hybrid", "rrf", "dense", "bm25"}
    assert [one["setting"] for one in found.json["settings"]] == ["hybrid", "rrf", "dense", "bm25"]
    assert found.err.split() == ["hybrid", "rrf", "dense", "bm25"]
    assert found.json["files"] == ["plot.png", "page.html"]
    assert (tmp_path / "plot.png").exists()
    assert "Evaluation of documents" in (tmp_path / "page.html").read_text()


def test_judged_questions_in_a_terminal_of_usual_width(cli, ingested, tmp_path):
    asked = tmp_path / "asked.jsonl"
    lines = [("how often are keys rotated?", "guide/keys.md"), ("where is cod landed?", "notes/fish.txt")]
    asked.write_text("\n".join(json.dumps({"text": text, "relevant": {name: 1}}) for text, name in lines))
    shown = cli("evaluate", "--questions", asked, "--setting", "bm25", "--setting", "hybrid")
    assert shown.code == 0, shown.err
    lines = [line.split() for line in shown.out.splitlines()]
    assert lines[0] == ["setting", "recall@10", "nDCG@10", "MRR@10", "change", "p", "ms"]
    assert lines[1][:4] == ["bm25", *["1.000"] * 3]
    assert lines[2] == ["(1.00–1.00)"] * 3
    said = " ".join(shown.out.split())
    assert said.endswith("on 2 questions, the highest, though no difference is shown to 'hybrid'.")
    refused = cli("evaluate", "--setting", "sparse")
    assert (refused.code, "unknown setting 'sparse'" in refused.err) == (1, True)
    assert cli("evaluate", "--n", 0).code == 2


def test_a_page_that_cannot_be_drawn_is_said_before_the_measuring(cli, ingested, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(command, "open_stored", None)
    refused = cli("evaluate", "--page", "page.html")
    assert (refused.code, "'qdrant-embed[plots]'" in refused.err) == (1, True)
