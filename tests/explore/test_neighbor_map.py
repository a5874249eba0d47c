import numpy as np
import pytest

from qdrant_embed.explore import nearest_neighbors, repulsion
from qdrant_embed.explore.nearest_neighbors import kmeans, neighbors
from qdrant_embed.explore.neighbor_map import GRAVITY, PUSH, kept_neighbors, laid_out, move, principal_components
from qdrant_embed.explore.repulsion import pushes


def blobs(groups=4, each=40, dim=12, seed=3):
    draw = np.random.default_rng(seed)
    centers = draw.normal(size=(groups, dim)) * 3
    own = np.repeat(np.arange(groups), each)
    found = centers[own] + draw.normal(size=(len(own), dim)) * 0.4
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32), own


def slow_neighbors(points, k):
    found = []
    for one in range(len(points)):
        far = [(float(((points[one] - other) ** 2).sum()), place) for place, other in enumerate(points) if place != one]
        found.append([place for _, place in sorted(far)[:k]])
    return found


def test_neighbors_are_the_nearest_of_all():
    points, _ = blobs()
    assert neighbors(points, 5).tolist() == slow_neighbors(points, 5)


def test_neighbors_by_cells_are_nearly_those_of_all(monkeypatch):
    points, _ = blobs(groups=12, each=50, dim=6)
    exact = neighbors(points, 5)
    monkeypatch.setattr(nearest_neighbors, "EXACT", 100)
    near = neighbors(points, 5)
    kept = np.mean([len(set(one) & set(other)) / 5 for one, other in zip(exact, near, strict=True)])
    assert kept > 0.95
    assert all(place not in own for place, own in enumerate(near.tolist()))


def test_kmeans_puts_each_point_to_its_nearest_center():
    points, _ = blobs()
    centers, found = kmeans(points, 4)
    slow = [min(range(4), key=lambda one: float(((point - centers[one]) ** 2).sum())) for point in points]
    assert found.tolist() == slow
    assert len(kmeans(points[:3], 10)[0]) == 3


def test_principal_components_are_those_of_the_singular_values():
    points, _ = blobs()
    found = principal_components(points, 3)
    sizes = np.linalg.svd(points - points.mean(0), compute_uv=False)
    assert np.linalg.norm(found, axis=0) == pytest.approx(sizes[:3], rel=1e-3)


def test_a_round_moves_as_the_gradient_says():
    draw = np.random.default_rng(1)
    places = draw.normal(size=(6, 2)).astype(np.float32)
    near = neighbors(places, 2)
    moved = places.copy()
    move(moved, near, 1.0)
    slow = -GRAVITY * 2 * places.astype(float)
    for one in range(6):
        for other in near[one]:
            apart = places[one] - places[other]
            pull = -2 * apart / (1 + apart @ apart)
            slow[one] += pull
            slow[other] -= pull
        for other in range(6):
            apart = places[one] - places[other]
            square = apart @ apart
            slow[one] += 2 * apart / ((0.05 + square) * (1 + square)) * PUSH * 2 / 6
    steps = slow * np.minimum(0.12, 2.0 / np.linalg.norm(slow, axis=1, keepdims=True))
    assert moved == pytest.approx(places + steps, abs=1e-4)


def test_pushes_on_a_grid_are_nearly_those_of_all_pairs(monkeypatch):
    places = np.random.default_rng(0).normal(0, 4, (500, 2)).astype(np.float32)
    exact = pushes(places)
    monkeypatch.setattr(repulsion, "EXACT", 1)
    near = pushes(places)
    assert np.abs(near - exact).max() < 0.15 * np.abs(exact).max()
    assert np.abs(near - exact).mean() < 0.05 * np.abs(exact).mean()
    assert np.isfinite(pushes(np.zeros((5, 2), np.float32))).all()
    assert np.isfinite(pushes(np.asarray([[0, 0], [1000, 0]], np.float32))).all()


def test_groups_stay_together_and_the_map_is_the_same_every_time():
    points, own = blobs()
    places, kept = laid_out(points)
    assert kept > 0.4
    nearest = np.asarray(slow_neighbors(places, 1))[:, 0]
    assert np.mean(own[nearest] == own) > 0.97
    assert np.array_equal(places, laid_out(points)[0])


def test_kept_neighbors_counts_what_stays():
    points, _ = blobs(each=10)
    near = neighbors(points[:, :2], 3)
    assert kept_neighbors(points[:, :2], near) == 1.0


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 13, 20])
def test_few_or_equal_points_have_a_place(number):
    draw = np.random.default_rng(0)
    places, _ = laid_out(draw.normal(size=(number, 5)).astype(np.float32))
    assert places.shape == (number, 2)
    assert np.isfinite(places).all()
    assert np.isfinite(laid_out(np.ones((number, 5), np.float32))[0]).all()
