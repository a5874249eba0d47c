"""What is installed and what will be used, as Python says it."""

import pytest

from qdrant_embed import diagnose, diagnostics


@pytest.fixture
def found(tmp_path):
    return diagnose("hashing", at=tmp_path / "<b>data</b>")


def test_findings_come_in_sections_with_what_to_type(found):
    assert found.healthy
    assert [section for section, _ in found.sections()] == ["installed", "model", "machine", "location"]
    assert f"{found.findings[-1].name}: qdrant-embed ingest PATH makes it" in found.advice
    assert found.as_dict()["findings"][0]["name"] == "python"


def test_they_print_as_lines_and_draw_themselves_without_markup(found):
    assert any("256 dimensions, cosine" in line for line in str(found).splitlines())
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;data&lt;/b&gt;" in found._repr_html_()


def test_what_will_fail_is_a_finding_and_no_error(tmp_path, monkeypatch):
    monkeypatch.setitem(diagnostics.NEEDED, "no-such-package", "a test")
    found = diagnose("no-such-model", at=tmp_path)
    assert not found.healthy
    assert {finding.name for finding in found.findings if finding.status == "problem"} >= {
        "no-such-package",
        "no-such-model",
    }
