import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.roots import place, refuse_nested, resolve


def test_a_new_folder_is_called_by_its_name(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    root = resolve(folder, None, {})
    assert (root.label, root.base, root.relative(folder)) == ("docs", folder, "")


def test_a_folder_inside_a_known_root_belongs_to_it(tmp_path):
    inner = tmp_path / "docs" / "guide" / "a"
    inner.mkdir(parents=True)
    root = resolve(inner, None, {"docs": place(tmp_path / "docs")})
    assert (root.label, root.relative(inner)) == ("docs", "guide/a/")


def test_another_folder_of_the_same_name_is_refused_with_both_ways_out(tmp_path):
    for parent in ("a", "b"):
        (tmp_path / parent / "docs").mkdir(parents=True)
    known = {"docs": place(tmp_path / "a" / "docs")}
    with pytest.raises(ConfigurationError, match=r"root='docs'.*root='docs-2'"):
        resolve(tmp_path / "b" / "docs", None, known)
    assert resolve(tmp_path / "b" / "docs", "docs", known).label == "docs"


def test_a_root_inside_a_new_root_is_refused(tmp_path):
    inner = tmp_path / "docs" / "guide"
    inner.mkdir(parents=True)
    known = {"guide": place(inner)}
    root = resolve(tmp_path / "docs", None, known)
    refuse_nested(tmp_path / "docs", root, known)
    with pytest.raises(ConfigurationError, match="--root guide"):
        refuse_nested(inner, root, known)


def test_no_path_can_be_read_from_a_place(tmp_path):
    assert str(tmp_path) not in place(tmp_path)
    assert len(place(tmp_path)) == 16
