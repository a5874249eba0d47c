"""Which encoding bytes are in that no mark and no declaration names."""
