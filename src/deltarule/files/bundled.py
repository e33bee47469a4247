"""The network that comes with deltarule, so that pictures of digits can be read at once."""

from pathlib import Path

# pretrained/README.md says what it is and how good; scripts/make_pretrained.py has trained it.
PRETRAINED = Path(__file__).parents[1] / "pretrained" / "pretrained.safetensors"
