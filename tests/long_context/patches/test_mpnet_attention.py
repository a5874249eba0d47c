"""MPNet's attention in blocks equals its own, which holds all pairs."""

from tests.support.late_import import Late

torch, mpnet_attention = Late("torch"), Late("qdrant_embed.long_context.patches.mpnet_attention")


def test_blocks_equal_the_models_own_attention(monkeypatch, extended, build, read):
    monkeypatch.setattr("qdrant_embed.long_context.patches.mpnet_attention._QUERIES", 7)
    model, own = extended("mpnet", "rp:64"), extended("mpnet", "rp:64")
    own.encoder.__class__ = type(build("mpnet").encoder)
    for lengths in ([50], [50, 10, 33]):
        found, wanted = read(model, lengths), read(own, lengths)
        for row, length in enumerate(lengths):
            torch.testing.assert_close(found[row, :length], wanted[row, :length], atol=2e-5, rtol=1e-4)


def test_a_block_holds_the_biases_of_its_queries_alone(build):
    encoder = build("mpnet").encoder
    with torch.inference_mode():
        whole = encoder.compute_position_bias(torch.zeros(1, 300, 16))
        found = mpnet_attention.Biases(encoder, 300, torch.device("cpu")).block(40, 47)
    assert found.shape == (1, 2, 7, 300)
    torch.testing.assert_close(found, whole[:, :, 40:47])
