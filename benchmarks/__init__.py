"""What the library claims, measured; one folder per question. Run all with `make bench`."""
