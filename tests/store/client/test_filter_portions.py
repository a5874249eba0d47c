"""Filters taken apart let through what they did, and are as small as a server wants them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import models
from qdrant_client.local.payload_filters import check_filter

from qdrant_embed.store.client.filter_portions import among, conditions, ids_wanted, portions, values_of
from qdrant_embed.store.client.limits import Limits

NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=12, unique=True)
ANY = st.builds(
    lambda key, values: models.FieldCondition(key=key, match=models.MatchAny(any=values)),
    st.sampled_from("ab"),
    NUMBERS,
)
IDS = NUMBERS.map(lambda ids: models.HasIdCondition(has_id=ids))
EMPTY = st.just(models.IsEmptyCondition(is_empty=models.PayloadField(key="c")))
PLAIN = st.one_of(ANY, IDS, EMPTY)


def nested(inner):
    listed = st.lists(st.one_of(PLAIN, inner), max_size=3)
    return st.builds(
        lambda *clauses: models.Filter(must=clauses[0], must_not=clauses[1], should=clauses[2]), *[listed] * 3
    )


FILTERS = st.recursive(st.builds(lambda one: models.Filter(must=one), PLAIN), nested, max_leaves=6)


def passing(where):
    """Return which of some points pass."""
    points = [(n, {"a": n, "b": [n, 12 - n], **({"c": 1} if n % 2 else {})}) for n in range(13)]
    return {n for n, payload in points if check_filter(where, payload, n, {})}


def largest(where):
    given = [getattr(where, clause) or [] for clause in ("must", "must_not", "should")]
    listed = [one for clause in given for one in (clause if isinstance(clause, list) else [clause])]
    sizes = (largest(one) if isinstance(one, models.Filter) else len(values_of(one)) for one in listed)
    return max(sizes, default=0)


@settings(deadline=None)
@given(FILTERS, st.integers(1, 4), st.integers(2, 9))
def test_portions_together_let_through_what_the_whole_did(where, size, most):
    before = where.model_copy(deep=True)
    for limits in (Limits(condition_max_size=size), Limits(condition_max_size=size, filter_max_conditions=most)):
        found = portions(where, limits)
        assert set().union(*map(passing, found)) == passing(where)
        assert all(largest(part) <= size for part in found)
    assert where == before


def test_many_values_become_conditions_and_what_does_not_fit_filters():
    condition = models.FieldCondition(key="a", match=models.MatchAny(any=list(range(10))))
    other = models.Filter(must_not=[models.IsEmptyCondition(is_empty=models.PayloadField(key="c"))])
    where = models.Filter(must=[models.Filter(must=condition), other])
    (one,) = portions(where, Limits(condition_max_size=4))
    assert conditions(one) == 4
    two = portions(where, Limits(condition_max_size=4, filter_max_conditions=3))
    assert [conditions(part) for part in two] == [3, 2]
    assert portions(where, Limits(filter_max_conditions=1)) == [where]
    assert portions(None, Limits(condition_max_size=1)) == [None]


def test_the_ids_that_a_filter_names():
    ids = models.HasIdCondition(has_id=[1, 2, 3])
    where = models.Filter(must=[models.Filter(must=[ids])])
    assert ids_wanted(where) == [1, 2, 3]
    assert ids_wanted(among(where, [2])) == [2]
    assert not ids_wanted(models.Filter(must_not=[ids], should=[ids]))
    assert among(None, [1]) is None
