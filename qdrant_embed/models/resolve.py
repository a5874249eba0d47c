"""From the name a user types to a preset with every value filled in, and the folder of its weights."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from qdrant_embed.errors import ModelError, UnknownNameError, near_names, require_type
from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.models.external_models import ExternalModels, external_models
from qdrant_embed.models.files.json_files import odd_settings_told, read_json
from qdrant_embed.models.files.layouts import SETTINGS
from qdrant_embed.models.files.lora import base_of, is_adapter, require_adapter
from qdrant_embed.models.files.model_folder import ModelFiles, read_model_files
from qdrant_embed.models.files.prepared_folder import MANIFEST
from qdrant_embed.models.files.word_vectors import find_table, table_folder
from qdrant_embed.models.hub.downloads import fetch
from qdrant_embed.models.hub.hub_names import split_name
from qdrant_embed.models.prepared_checks import require_as_prepared
from qdrant_embed.models.preset_checks import check_values
from qdrant_embed.models.preset_files import PresetEntry, preset_named, read_presets
from qdrant_embed.models.presets import Preset, make_preset, preset_defaults
from qdrant_embed.models.runtime_specs import REFERENCE, RUNTIMES, runtime_spec
from qdrant_embed.models.validation import require_agreement, wider_dimensions
from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.types import Json

log = logging.getLogger(__name__)

_SHARED = (
    *("query_prompt", "document_prompt", "query_template", "document_template"),
    *("task_template", "tasks", "task", "dims", "distance", "normalize"),
)
"""Values that hold for the same weights whatever runs them."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A preset ready for use.

    :param files: The model's folder; None for models without weights.
    :param origins: value name → where it came from.
    :param extension_plan: What makes it read longer texts than it was trained on; `max_tokens` counts it in.
    :param query: What reads questions, where these go through other modules than texts do.
    """

    preset: Preset
    files: ModelFiles | None
    origins: Mapping[str, str]
    extension_plan: ExtensionPlan | None = None
    query: ResolvedModel | None = None

    @property
    def native_tokens(self) -> int:
        """Tokens beyond which a text is read by stretching the model, all counted in; 0 if it is not stretched."""
        return self.extension_plan.trained if self.extension_plan else 0

    def require_files(self) -> ModelFiles:
        """Return the model's folder.

        :raises ModelError: It is one without weights.
        """
        if self.files is None:
            raise ModelError(f"the preset {self.preset.name!r} names no weights; give it a source.")
        return self.files


def preset_values(name: str, presets: str | Path | None = None) -> tuple[Mapping[str, Json], str]:
    """Return what preset files say of a model, and which files, without looking for its weights.

    :raises UnknownNameError: There is no such preset.
    """
    known = read_presets(presets)
    if name not in known:
        raise UnknownNameError("model", name, known, _spellings(known))
    entry = known[name]
    return entry.values, ", ".join(dict.fromkeys(entry.origins.values()))


def resolve(name: str | Path, presets: str | Path | None = None) -> ResolvedModel:
    """Find a model by preset name, folder, hub id, or a runtime and a name that it knows: `fastembed:NAME`.

    :raises UnknownNameError: It is none of them.
    :raises ModelError: Its files are missing, pickled or incomplete.
    """
    require_type("model", name, (str, Path), "the name of a preset, a folder, or a hub id")
    with odd_settings_told(str(name)):
        return _resolved(name, presets)


def _resolved(name: str | Path, presets: str | Path | None) -> ResolvedModel:
    known = read_presets(presets)
    text = str(name)
    preset = preset_named(name, known)
    if preset:
        return _from_preset(preset, known[preset])
    runtime, _, model = text.partition(":")
    if model and runtime in RUNTIMES and runtime_spec(runtime).names_models:
        return _from_preset(text, _named_entry(runtime, model, dict(known)))
    folder = _folder_named(name)
    if folder is not None:
        entry = PresetEntry({"source": str(folder)}, {"source": "the folder given"})
        return _filled(str(folder), entry, _read(folder, ()))
    hub_id = split_name(text) if isinstance(name, str) else None
    if hub_id is not None:
        entry = PresetEntry(dict(zip(("source", "revision"), hub_id, strict=True)), {"source": "the id given"})
        return _filled(text, entry, _read(_fetched(*hub_id, known), ()))
    if isinstance(name, Path) or "/" in text or os.sep in text or text.startswith((".", "~")):
        raise ModelError(f"the model folder {text!r} does not exist. Give a folder, a hub id (owner/name) or a preset.")
    raise UnknownNameError("model", text, known, _spellings(known))


def absolute_name(name: str) -> str:
    """Return the name of a model; of one on this machine its absolute path, the same in every folder."""
    folder = None if not name or preset_named(name, read_presets()) else _folder_named(name)
    return name if folder is None else str(folder)


def _folder_named(name: str | Path) -> Path | None:
    """Return the folder of a model, absolute, so that a process in another folder finds it too; None if it is none."""
    folder = Path(name).expanduser()
    return folder.resolve() if folder.is_dir() or find_table(folder) else None


def _fetched(repository: str, revision: str, known: Mapping[str, PresetEntry]) -> Path:
    """Fetch a repository; if it cannot be had, name the presets whose repositories are called almost alike."""
    try:
        return fetch(repository, revision)
    except ModelError as error:
        spellings = _spellings(known)
        near = near_names(repository, [], spellings, 0.8) or near_names(repository.rsplit("/")[-1], [], spellings, 0.8)
        if not near:
            raise
        raise ModelError(f"{error} Did you mean the preset {' or '.join(map(repr, near))}?") from error


def _spellings(known: Mapping[str, PresetEntry]) -> dict[str, str]:
    """Return what presets are called elsewhere: the names of their repositories, and those on servers."""
    found: dict[str, str] = {}
    for name, entry in known.items():
        if not entry.values.get("unloadable"):
            stated = [str(entry.values[key]) for key in ("source", "api_model") if entry.values.get(key)]
            found |= {spelling: name for one in stated for spelling in (one, one.rsplit("/")[-1])}
    return found


def _named_entry(runtime: str, name: str, known: dict[str, PresetEntry]) -> PresetEntry:
    """Return what is known of a runtime's own model; prompts come from a preset of the same source."""
    values: dict[str, Json] = {"runtime": runtime, "api_model": name}
    origins = dict.fromkeys(values, "the name given")
    for entry in reversed(known.values()):  # a user's own stand last
        if str(entry.values.get("source")).lower() == name.lower():
            shared = [key for key in _SHARED if key in entry.values]
            values = {**{key: entry.values[key] for key in shared}, **values}
            origins = {**{key: entry.origins[key] for key in shared}, **origins}
            break
    return PresetEntry(values, origins)


def _from_preset(name: str, entry: PresetEntry) -> ResolvedModel:
    values = {key: value for key, value in entry.values.items() if isinstance(value, str)}
    if values.get("unloadable"):
        raise ModelError(f"{name!r} cannot be loaded: it {values['unloadable']}.")
    external = external_models(values.get("runtime", REFERENCE))
    if external:
        return _filled(name, _pooled_elsewhere(name, entry, external), None)
    folder = _from_package(values.get("package", ""))
    if folder is None and values.get("source"):
        source = Path(values["source"])
        wanted = values["source"], values.get("revision", "")
        if source.is_absolute() and not source.exists():
            raise ModelError(
                f"{name!r}: the folder {wanted[0]!r} does not exist; correct source in {entry.origins['source']}."
            )
        more = [values[key] for key in ("adapter", "query_adapter") if values.get(key)]
        folder = (
            source if source.exists() else fetch(*wanted, install=values.get("install", ""), preset=name, more=more)
        )
    if folder is None:
        return _filled(name, entry, None)
    files = _read(folder, entry.values.get("languages", ()))
    for_texts, for_questions = (values.get(key) for key in ("adapter", "query_adapter"))
    if for_texts:
        files = replace(files, adapter=require_adapter(folder / for_texts))
    if for_questions:
        files = replace(files, query_adapter=require_adapter(folder / for_questions))
    return _filled(name, entry, files)


def _read(place: Path, languages: Iterable[str]) -> ModelFiles:
    """Read a model's folder; a word table is made one first, and an adapter is read with the model it belongs to."""
    if is_adapter(place):
        base, revision = base_of(require_adapter(place))
        base_folder = place / Path(base).expanduser()
        return replace(_read(base_folder if base_folder.is_dir() else fetch(base, revision), languages), adapter=place)
    table = find_table(place)
    files = read_model_files(table_folder(table, languages) if table else place)
    if files.prepared is not None:
        require_as_prepared(files.prepared)
    return files


def _pooled_elsewhere(name: str, entry: PresetEntry, external: ExternalModels) -> PresetEntry:
    """Say that such a model pools by itself, and fill what is known of it where it runs."""
    stated = {"pooling": "none", **external.describe(name, entry.values)}
    origins = dict.fromkeys(stated, str(entry.values["runtime"]))
    return PresetEntry({**stated, **entry.values}, {**origins, **entry.origins})


def _from_package(spec: str) -> Path | None:
    module, _, inside = spec.partition(":")
    if not module or find_spec(module) is None:
        return None
    return Path(str(resources.files(module) / inside))


def _filled(name: str, entry: PresetEntry, files: ModelFiles | None) -> ResolvedModel:
    """Fill what the preset leaves open from the model's own files.

    :raises ModelError: Something that decides the vectors is stated nowhere.
    """
    stated = dict(files.values) if files else {}
    if files and files.prepared:  # what was known of it there, a preset of another's among it
        known = files.prepared.values
        entry = PresetEntry({**known, **entry.values}, {**dict.fromkeys(known, MANIFEST), **entry.origins})
    if files:
        require_agreement(name, entry.values, files)
        stated |= wider_dimensions(entry.values, stated)
    values: dict[str, Json] = {**preset_defaults(), **stated, **entry.values}
    origins = dict.fromkeys(values, "default") | dict(files.origins if files else {}) | dict(entry.origins)
    if not values["pooling"]:
        raise ModelError(
            f"{name!r} does not say how its token states become one vector (no modules.json). Guessing would give "
            "silently wrong vectors. Write a preset with its pooling: see 'Your own model' in docs/guide/models.md."
        )
    if files and (unused := _unused_prompts(files, entry.values)):
        _say_unused(name, unused)
    check_values(repr(name), values)
    for needed in ("dim", "max_tokens"):
        if values[needed] < 1:
            raise ModelError(f"neither a preset nor the files of {name!r} state {needed}; add it to a preset.")
    preset = make_preset(name, values)
    if files is None or files.side != "document":
        return ResolvedModel(preset, files, origins)
    asked = read_model_files(files.folder, "query")
    query = _filled(name, entry, replace(asked, adapter=files.query_adapter or files.adapter))
    if query.preset.dim != preset.dim:
        raise ModelError(
            f"the two sides of {name!r} give vectors of {preset.dim} (documents) and {query.preset.dim} (questions) "
            "dimensions, which cannot be compared."
        )
    return ResolvedModel(preset, files, origins, query=query)


@cache
def _say_unused(name: str, prompts: str) -> None:
    log.warning(
        "%s states a prompt named %s, which is not used: encode_query and encode_document of sentence-transformers "
        "take those named query and document, which are empty where they are not stated. If the model was trained with "
        "it, write document_prompt (or query_prompt) into a preset of your own.",
        name,
        prompts,
    )


def _unused_prompts(files: ModelFiles, stated: Mapping[str, Json]) -> str:
    """Return the names of prompts that read as if they were for texts, and that no text gets.

    Those are the ones for documents under another name, and the default of `encode`, unless a preset says otherwise.
    """
    settings = read_json(files.folder / SETTINGS)
    prompts, default = settings.get("prompts") or {}, settings.get("default_prompt_name")
    unused = []
    if "document_prompt" not in stated and not prompts.get("document"):
        unused = [name for name in ("passage", "corpus") if prompts.get(name)]
    if not stated.keys() & {"document_prompt", "query_prompt"} and default not in ("query", "document", *unused):
        unused += [default] if prompts.get(default) else []
    return " and ".join(unused)


def pooling_only(resolved: ResolvedModel) -> bool:
    """Tell whether token states need only the pooling that is done above the runtimes."""
    return resolved.files is not None and resolved.files.plain and resolved.preset.pooling != "none"


def pools_inside(resolved: ResolvedModel) -> bool:
    """Tell whether a model's pooling can be part of its graph, so that only sentence vectors leave it."""
    if not pooling_only(resolved):
        return True
    return resolved.preset.pooling in POOLINGS and resolved.preset.pooled in ("", "all")
