from qdrant_embed.runtimes.conversion.probe_texts import CALIBRATION, PROBES


def test_no_model_is_tried_on_what_its_ranges_were_read_from():
    assert not set(PROBES) & set(CALIBRATION)
    for probe in PROBES:
        for text in CALIBRATION:
            shorter, longer = sorted((probe.strip(), text), key=len)
            assert len(shorter) < 20 or shorter not in longer, shorter
