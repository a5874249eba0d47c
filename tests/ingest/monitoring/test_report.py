from qdrant_embed.ingest.monitoring.report import Tally


def report_of_a_dry_run():
    tally = Tally(lambda source: source == "old.pdf", list_skipped=True, dry=True)
    tally.add(documents=3)
    tally.fail("broken.pdf", "encrypted", "unreadable")
    tally.fail("old.pdf", "encrypted", "unreadable")
    tally.withhold("guide/", "most of it is gone", points=7)
    tally.skip("logo.png", "binary")
    tally.would("to_embed", "<new>\x1b[31m.md")
    tally.would("to_delete", "gone.md")
    tally.note("scan.pdf", "page 2 has no text layer")
    tally.warn("a range of two vectors")
    return tally.report()


def test_a_report_names_everything_that_it_lists():
    lines = str(report_of_a_dry_run()).splitlines()
    assert "3 documents" in lines[0]
    assert "7 withheld, 2 failed" in lines[0]
    assert [line.strip() for line in lines[1:]] == [
        "failed: broken.pdf: encrypted",
        "failed: guide/: most of it is gone",
        "accepted: old.pdf: encrypted",
        "would embed: <new>␛[31m.md",
        "would delete: gone.md",
        "skipped: logo.png: binary",
        "note: scan.pdf: page 2 has no text layer",
        "warning: a range of two vectors",
    ]


def test_a_notebook_shows_the_same_and_takes_no_name_for_markup():
    page = report_of_a_dry_run()._repr_html_()
    assert all(
        f"<td>{label}</td>" in page for label in ("withheld", "accepted", "would embed", "would delete", "skipped")
    )
    assert "&lt;new&gt;" in page
    assert "<new>" not in page
    assert "\x1b" not in page
