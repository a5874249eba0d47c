"""Formulas that re-score hits: expression trees over scores, payload fields and conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qdrant_edge as edge
from pydantic import BaseModel
from qdrant_client import models

from qdrant_embed.store.edge.convert.filter import TABLE as CONDITIONS
from qdrant_embed.store.edge.convert.filter import condition
from qdrant_embed.store.edge.lacking_features import unsupported

_Make = Callable[..., Any]
_Expression = edge.Expression

_UNARY: dict[type, tuple[str, _Make]] = {
    models.NegExpression: ("neg", _Expression.Neg),
    models.AbsExpression: ("abs", _Expression.Abs),
    models.SqrtExpression: ("sqrt", _Expression.Sqrt),
    models.ExpExpression: ("exp", _Expression.Exp),
    models.Log10Expression: ("log10", _Expression.Log10),
    models.LnExpression: ("ln", _Expression.Ln),
    models.AcoshExpression: ("acosh", _Expression.Acosh),
}
_LISTS: dict[type, tuple[str, _Make]] = {
    models.MultExpression: ("mult", _Expression.Mult),
    models.SumExpression: ("sum", _Expression.Sum),
    models.MaxExpression: ("max", _Expression.Max),
    models.MinExpression: ("min", _Expression.Min),
}
_DECAYS: dict[type, tuple[str, edge.DecayKind]] = {
    models.LinDecayExpression: ("lin_decay", edge.DecayKind.Lin),
    models.ExpDecayExpression: ("exp_decay", edge.DecayKind.Exp),
    models.GaussDecayExpression: ("gauss_decay", edge.DecayKind.Gauss),
}


def formula(query: models.FormulaQuery) -> edge.Formula:
    """Return a formula query for Qdrant Edge.

    :raises UnsupportedByEngineError: It holds an expression that Qdrant Edge does not have.
    """
    return edge.Formula(expression(query.formula), query.defaults or {})


def expression(model: Any) -> Any:
    """Return one expression with all its parts."""
    kind = type(model)
    if isinstance(model, (int, float)):
        return _Expression.Constant(float(model))
    if isinstance(model, str):
        return _Expression.Variable(model)
    if kind in CONDITIONS:
        return _Expression.Condition(condition(model))
    if kind in _UNARY:
        field, make = _UNARY[kind]
        return make(expression(getattr(model, field)))
    if kind in _LISTS:
        field, make = _LISTS[kind]
        return make([expression(part) for part in getattr(model, field)])
    if kind in _DECAYS:
        field, decay = _DECAYS[kind]
        params = getattr(model, field)
        target = None if params.target is None else expression(params.target)
        return _Expression.Decay(decay, expression(params.x), target, params.midpoint, params.scale)
    return _other(model)


def _other(model: BaseModel) -> Any:
    if isinstance(model, models.DivExpression):
        div = model.div
        return _Expression.Div(expression(div.left), expression(div.right), div.by_zero_default)
    if isinstance(model, models.PowExpression):
        return _Expression.Pow(expression(model.pow.base), expression(model.pow.exponent))
    if isinstance(model, models.GeoDistance):
        origin = model.geo_distance.origin
        return _Expression.GeoDistance(edge.GeoPoint(origin.lon, origin.lat), model.geo_distance.to)
    if isinstance(model, models.DatetimeExpression):
        return _Expression.Datetime(model.datetime)
    if isinstance(model, models.DatetimeKeyExpression):
        return _Expression.DatetimeKey(model.datetime_key)
    raise unsupported(f"{type(model).__name__} in a formula")
