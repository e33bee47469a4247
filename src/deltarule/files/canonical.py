"""Descriptions inside tensor files: canonical JSON with a digest: one content has one text, and damage shows."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from deltarule.errors import ModelFileError
from deltarule.files.tensor_file import strict_json
from deltarule.nn.arrays import Array

KINDS = {  # where the version of a format stands: what it is of, and the command for it
    "format": ("a model", "deltarule train --from FILE"),
    "checkpoint": ("a checkpoint", "deltarule train --resume FOLDER"),
}


def canonical(content: Any) -> str:
    """JSON with sorted keys and no spaces. ValueError, TypeError or RecursionError for what is no JSON."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(description: Mapping[str, Any], arrays: Iterable[Array]) -> str:
    """The SHA-256 of a description's JSON followed by the arrays' bytes."""
    digest = hashlib.sha256(canonical(description).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def description_in(text: str, key: str, *versions: int) -> dict[str, Any]:
    """The description in a file as plain dicts and lists, once it is known to be canonical and of a version of ours.

    key: where the version of the format stands. versions: those that can be read.

    Raises ModelFileError, or another ValueError, for any other text.
    """
    content = msgspec.convert(strict_json(text), dict[str, Any])
    other = next((found for found in KINDS if found != key and found in content), None)
    if other is not None and key not in content:
        raise ModelFileError(f"expected {KINDS[key][0]}: got {KINDS[other][0]};  {KINDS[other][1]}  takes it")
    if type(content.get(key)) is not int or content[key] not in versions:
        ours = " and ".join(filter(None, (", ".join(map(str, versions[:-1])), str(versions[-1]))))
        ours = f"version{'s' * (len(versions) > 1)} {ours}"
        raise ModelFileError(
            f"this deltarule reads {ours} of the format: got version {content.get(key)!r}; "
            "the latest deltarule reads it:  pip install --upgrade deltarule"
        )
    if canonical(content) != text:
        raise ModelFileError(
            "expected canonical JSON (sorted keys, no spaces, finite numbers): got one changed by hand; save it again"
        )
    return content


def check_digest(digest: Any, description: Mapping[str, Any], arrays: Iterable[Array]) -> None:
    """Raise ModelFileError unless the digest is that of this content."""
    if digest != digest_of(description, arrays):
        raise ModelFileError(
            f"expected the content that its digest {digest} belongs to: got another; copy the file again"
        )
