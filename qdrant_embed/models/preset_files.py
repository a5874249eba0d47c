"""Preset files: ours, and the user's laid over them."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.preset_checks import check_values
from qdrant_embed.types import Json

PRESETS_VARIABLE = "QDRANT_EMBED_PRESETS"
"""Environment variable that names a user's own preset file, or a folder of them."""
_SPELLINGS = {"licence": "license", "licence_note": "license_note"}


@dataclass(frozen=True, slots=True)
class PresetEntry:
    """What preset files say of one model, before the model's own files are asked for the rest.

    :param origins: value name → the file it came from.
    """

    values: Mapping[str, Json]
    origins: Mapping[str, str]


_PATHS = ("source", "tokenizer")
"""Values that may be paths."""
_WEIGHTS = ("package", "install", "revision", "unloadable")
"""Values that belong to one `source`, and fall with it."""


def read_presets(own: str | Path | None = None) -> Mapping[str, PresetEntry]:
    """Return every preset by name: ours, then the user's laid over them, value by value.

    The user's stand in `~/.config/qdrant-embed/presets`, in what `QDRANT_EMBED_PRESETS` names, and in `own`; the later
    of these wins.

    :param own: A preset file, or a folder of them.
    :raises ConfigurationError: A file has an unknown key, a value of the wrong kind, or a model twice.
    """
    found = dict(our_presets())
    for place in _own_places(own):
        paths = [place] if place.is_file() else sorted(path for path in place.iterdir() if _is_toml(path.name))
        for name, entry in _layer((str(path), path.read_text(encoding="utf-8")) for path in paths).items():
            found[name] = _overlay(found.get(name), PresetEntry(dict(_anchored(entry)), entry.origins))
    return found


def absolute(own: str | Path | None) -> str | None:
    """Return the place of presets so that a process in another folder finds it too."""
    return None if own is None else str(Path(own).expanduser().resolve())


def preset_named(name: str | Path, known: Mapping[str, PresetEntry]) -> str:
    """Return the preset of a name, or of the same weights; empty if there is none."""
    text = str(name)
    if text in known or not text or isinstance(name, Path):
        return text if text in known else ""
    # Most hub repositories do not state their prompts; a preset does. Capitals do not matter to the hub either.
    loadable = (preset for preset, entry in known.items() if not entry.values.get("unloadable"))
    return next((one for one in loadable if str(known[one].values.get("source", "")).lower() == text.lower()), "")


def _anchored(entry: PresetEntry) -> Iterator[tuple[str, Json]]:
    """Yield a preset's values, paths beginning where its file is, not where whoever reads it happens to be."""
    for key, value in entry.values.items():
        place = Path(entry.origins[key]).parent / Path(value).expanduser() if key in _PATHS and value else None
        # What is no path is an id of the hub, or the name of an encoding.
        is_path = place is not None and (value.startswith((".", "~", "/")) or place.exists())
        yield key, str(place.resolve()) if place is not None and is_path else value


@cache
def our_presets() -> Mapping[str, PresetEntry]:
    """Return the presets that come with the library, by name."""
    ours = resources.files("qdrant_embed.presets").iterdir()
    return _layer((f"preset {file.name}", file.read_text(encoding="utf-8")) for file in ours if _is_toml(file.name))


def _is_toml(name: str) -> bool:
    return name.endswith(".toml")


def _own_places(own: str | Path | None) -> Iterator[Path]:
    """Yield where the user's presets stand.

    :raises ConfigurationError: A place was named and does not exist.
    """
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    usual = Path(config) / "qdrant-embed" / "presets"
    if usual.is_dir():
        yield usual
    for named, by in ((os.environ.get(PRESETS_VARIABLE), PRESETS_VARIABLE), (own, "presets")):
        if named:
            place = Path(named).expanduser()
            if not place.exists():
                raise ConfigurationError(
                    f"{by} names {str(named)!r}, which does not exist; give a TOML file or a folder."
                )
            yield place


def _overlay(below: PresetEntry | None, above: PresetEntry) -> PresetEntry:
    if below is None:
        return above
    dropped = _WEIGHTS if "source" in above.values else ()
    kept = {key: value for key, value in below.values.items() if key not in dropped}
    return PresetEntry({**kept, **above.values}, {**below.origins, **above.origins})


def _layer(files: Iterator[tuple[str, str]]) -> dict[str, PresetEntry]:
    found: dict[str, PresetEntry] = {}
    for origin, text in files:
        for name, values in _parse(text, origin).items():
            check_values(f"{origin}, [models.{name}]", values)
            if name in found:
                raise ConfigurationError(f"{origin}: the model {name!r} stands in another file too; remove one.")
            found[name] = PresetEntry(values, dict.fromkeys(values, origin))
    return found


def _parse(text: str, origin: str) -> dict[str, dict[str, Json]]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{origin} is not valid TOML: {error}") from error
    unknown = sorted(set(tables) - {"defaults", "models"})
    if unknown:
        raise ConfigurationError(f"{origin}: unknown tables {unknown}; known: [defaults], [models.NAME].")
    models, defaults = tables.get("models", {}), tables.get("defaults", {})
    if not isinstance(defaults, dict) or not all(isinstance(values, dict) for values in models.values()):
        raise ConfigurationError(f"{origin}: write tables, [defaults] and [models.NAME], not single values.")
    return {name: _with_defaults(defaults, values) for name, values in models.items()}


def _with_defaults(defaults: Mapping[str, Json], values: Mapping[str, Json]) -> dict[str, Json]:
    """Lay a model's values over its family's; of where they were read, only what the model does not say anew."""
    defaults, values = (
        {_SPELLINGS.get(key, key): value for key, value in layer.items()} for layer in (defaults, values)
    )
    merged = {**defaults, **values}
    if all(isinstance(layer.get("sources"), dict) for layer in (defaults, values)):
        merged["sources"] = {**defaults["sources"], **values["sources"]}
    return merged
