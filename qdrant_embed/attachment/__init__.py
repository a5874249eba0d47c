"""Collections that something else wrote, read as if they were this library's.

Payloads are renamed on their way out and filters on their way in (`AttachedEngine`), so that searches, filters and
explanations work as they are; what has no place in the other program's payload is found out, or left empty.

Files, in reading order: foreign_layout, payload_view, filter_view, layout_detection, surface_terms, attached_engine,
known_models, model_proof, sparse_proof, attached_embedder, attached_browser, attached_parts, attached_writer, adoption.

Public: `ForeignLayout` (what was found out, `collection.layout`), `LayoutSettings` (what of it can be given by hand),
and `Adoption` (what `collection.attachment.adopt()` returns).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.attachment.adoption import Adoption as Adoption
    from qdrant_embed.attachment.foreign_layout import ForeignLayout as ForeignLayout
    from qdrant_embed.attachment.foreign_layout import LayoutSettings as LayoutSettings
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__, {"adoption": ["Adoption"], "foreign_layout": ["ForeignLayout", "LayoutSettings"]}
    )
