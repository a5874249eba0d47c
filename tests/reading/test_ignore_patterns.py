import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdrant_embed.reading.files import ReadOptions, Skipped, find_root, walk
from qdrant_embed.reading.ignore_patterns import PathPatterns

NAMES = st.sampled_from(["a", "b", "a.md", "b.md"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
# Two forms that nobody writes are left out, since pathspec differs from git there: `a/**/`, and `!*` before `a/`.
PATTERNS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "!", "/", "!/", "**/"]),
    st.sampled_from(["a", "b", "*.md", "a/b", "a/*", "a/**", "**/b", "a.md"]),
    st.sampled_from(["", "/"]),
    st.sampled_from(["", " "]),
).filter(lambda pattern: "**/" not in pattern[-4:])


@pytest.mark.skipif(shutil.which("git") is None, reason="git says what is right")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paths=st.lists(PATHS, min_size=1, max_size=6),
    top=st.lists(PATTERNS, max_size=3),
    inner=st.lists(PATTERNS, max_size=3),
)
def test_the_same_files_as_git(tmp_path_factory, paths, top, inner):
    folder = tmp_path_factory.mktemp("repository")
    for path in paths:
        target = folder / "x" / path
        if not any(parent.is_file() for parent in target.parents) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("text")
    (folder / ".gitignore").write_text("\n".join(top))
    if (folder / "x/a").is_dir():
        (folder / "x/a/.gitignore").write_text("\n".join(inner))
    subprocess.run(["git", "init", "-q", folder], check=True)
    listing = ["git", "-c", "core.excludesFile=", "-C", folder, "ls-files", "--others", "--exclude-standard"]
    expected = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split()
    ours = [item.source for item in walk(find_root(folder), ReadOptions()) if not isinstance(item, Skipped)]
    assert ours == sorted(name for name in expected if not name.endswith(".gitignore"))


def test_a_malformed_pattern_does_not_spoil_the_others():
    patterns = PathPatterns(["!", "*.md", "a///**//"])
    assert patterns.match("x/y.md")
    assert not patterns.match("x/y.txt")
