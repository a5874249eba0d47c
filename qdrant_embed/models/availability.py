"""Where a model's weights would come from, found out without loading or downloading anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from qdrant_embed.errors import UnknownNameError
from qdrant_embed.extras import pip_line
from qdrant_embed.models.files.prepared_folder import read_prepared
from qdrant_embed.models.hub.downloads import missing_in
from qdrant_embed.models.hub.hub_names import download_line, split_name
from qdrant_embed.models.hub.local_copies import local_copy
from qdrant_embed.models.resolve import preset_values
from qdrant_embed.types import Json


@dataclass(frozen=True, slots=True)
class WeightsLocation:
    """A model on this machine, or not.

    :param place: What holds the weights, in words.
    :param advice: What to type to get them, if they are not here.
    """

    here: bool
    place: str
    advice: str = ""


def find_weights(name: str) -> WeightsLocation:
    """Say where the weights of a preset, a folder or a hub id are.

    :raises UnknownNameError: The name is none of them.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        prepared = read_prepared(folder)
        of = f", prepared from {prepared.source} in {prepared.precision}" if prepared else ""
        return WeightsLocation(here=True, place=f"the folder given{of}")
    try:
        values, _ = preset_values(name)
    except UnknownNameError:
        hub_id = split_name(name)
        if hub_id is None:
            raise
        return _on_hub(name, hub_id[0], {"revision": hub_id[1]})
    module = str(values.get("package", "")).partition(":")[0]
    if module and find_spec(module) is not None:
        return WeightsLocation(here=True, place=f"the installed package {module}")
    source = str(values.get("source", ""))
    if not source and values.get("api"):
        return WeightsLocation(here=True, place="none here; a server is asked, nothing before the first text")
    if not source:
        return WeightsLocation(here=True, place="none needed")
    if Path(source).expanduser().is_dir():
        return WeightsLocation(here=True, place=source)
    return _on_hub(name, source, values)


def _on_hub(name: str, repository: str, values: Mapping[str, Json]) -> WeightsLocation:
    revision = str(values.get("revision") or "")
    found = local_copy(repository, revision)
    missing = missing_in(found) if found is not None else []
    if found is not None and not missing:
        return WeightsLocation(here=True, place=f"the hub's cache of {repository}")
    install = str(values.get("install", ""))
    advice = pip_line(install) if install else download_line(name)
    part = f"here only in part ({', '.join(missing)} missing)" if missing else "not on this machine"
    return WeightsLocation(here=False, place=f"{part}; the hub has them as {repository}", advice=advice)
