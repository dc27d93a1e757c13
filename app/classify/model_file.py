"""A local model as bytes and back: a JSON header, then deflated numbers. Never pickle: these bytes run no code.

Weights are rounded to a grid before they are stored as 16-bit floats, because round numbers deflate well. The grid is
made coarser until the whole fits MOST_BYTES for each category; on short messages the finest always did.
"""

import json
import math
import zlib
from typing import Any

import numpy as np

from app.classify.features import BUCKETS, Vectoriser
from app.classify.local_model import CATEGORIES_FROM, LocalModel
from app.domain.errors import Malformed

MAGIC = b"OCTOPUS-LOCAL-MODEL\x01"
FINEST = 1 / 512  # of the grid of the weights, which lie between about -1 and 1
MOST_BYTES, MOST_BYTES_EACH = 512 * 1024, 32 * 1024  # of a model, and of each of its categories in addition
MOST_CATEGORIES = 5000
MOST_CAUTION = 60_000.0  # 16-bit floats end at 65,504
MOST_HEADER_BYTES = 4 * 1024 * 1024


def to_bytes(model: LocalModel) -> bytes:
    """About 2 MB for 77 categories. What `learn` added is included; the examples it replays are not."""
    buckets, table, bias, labels = model.as_rows()
    most = MOST_BYTES + MOST_BYTES_EACH * len(labels)
    grid = FINEST
    while len(packed := _packed(model, buckets, table, bias, labels, grid)) > most and grid < 0.5:
        grid *= 2
    return packed


def _packed(model: LocalModel, buckets: np.ndarray, table: np.ndarray, bias: np.ndarray, labels, grid: float) -> bytes:
    rounded = (np.round(table / grid) * grid).astype(np.float16)
    kept = rounded.any(axis=1)
    buckets, rounded = buckets[kept], rounded[kept]
    present = np.zeros(BUCKETS, bool)
    present[buckets] = True
    # Column by column, first all high bytes, then all low ones: neighbours resemble each other and deflate better.
    halves = np.ascontiguousarray(rounded.T).view(np.uint8).reshape(-1, 2)
    body = b"".join((
        np.packbits(present).tobytes(),
        model.vectoriser.idf.astype("<f2").tobytes(),
        np.minimum(model.caution, MOST_CAUTION).astype("<f2").tobytes(),
        bias.astype("<f4").tobytes(),
        halves[:, 1].tobytes(),
        halves[:, 0].tobytes(),
    ))  # fmt: skip
    header = json.dumps({
        "labels": labels, "counts": dict(model.counts), "temperature": model.temperature,
        "stranger": None if model.stranger == -math.inf else model.stranger,
        "rows": len(buckets), "body_crc32": zlib.crc32(body),
    }).encode()  # fmt: skip
    return MAGIC + len(header).to_bytes(4, "little") + header + zlib.compress(body, 1)


def from_bytes(stored: bytes) -> LocalModel:
    """The model `to_bytes` stored. Raises Malformed for anything else; it never allocates more than the header says."""
    header, deflated = _opened(stored)
    labels, counts, rows = _checked(header)
    columns = CATEGORIES_FROM + len(labels)
    sizes = [BUCKETS // 8, 2 * BUCKETS, 2 * BUCKETS, 4 * columns, rows * columns, rows * columns]
    body = _inflated(deflated, sum(sizes))
    if zlib.crc32(body) != header.get("body_crc32"):
        raise _malformed("its checksum does not fit its contents")
    cuts = np.cumsum(sizes)
    present, idf, caution, bias, high, low = (body[end - size : end] for end, size in zip(cuts, sizes, strict=True))
    buckets = np.flatnonzero(np.unpackbits(np.frombuffer(present, np.uint8)))
    if len(buckets) != rows:
        raise _malformed("its number of rows contradicts its header")
    halves = np.stack([np.frombuffer(low, np.uint8), np.frombuffer(high, np.uint8)], axis=1)
    table = np.ascontiguousarray(halves).view("<f2").reshape(columns, rows).T.astype(np.float32, order="C")
    idf, caution = (np.frombuffer(part, "<f2").astype(np.float32) for part in (idf, caution))
    bias = np.frombuffer(bias, "<f4")
    if not all(np.isfinite(part).all() for part in (table, idf, caution, bias[CATEGORIES_FROM:])):
        raise _malformed("it contains numbers that are not finite")
    if not (caution > 0).all():
        raise _malformed("it contains a step length that is not positive")
    model = LocalModel.from_rows(Vectoriser(idf), header["temperature"], buckets, table, bias, labels, counts)
    model.caution = caution
    if header["stranger"] is not None:
        model.stranger = header["stranger"]
    return model


def _opened(stored: bytes) -> tuple[dict[str, Any], bytes]:
    if not stored.startswith(MAGIC):
        raise _malformed("it does not begin like one of this version")
    start = len(MAGIC) + 4
    size = int.from_bytes(stored[len(MAGIC) : start], "little")
    if size > MOST_HEADER_BYTES or start + size > len(stored):
        raise _malformed("it ends too early")
    try:
        header = json.loads(stored[start : start + size])
    except ValueError as error:
        raise _malformed("its header is not JSON") from error
    if not isinstance(header, dict):
        raise _malformed("its header is not an object")
    return header, stored[start + size :]


def _checked(header: dict[str, Any]) -> tuple[list[str], dict[str, int], int]:
    labels, counts = header.get("labels"), header.get("counts")
    temperature, stranger, rows = header.get("temperature"), header.get("stranger", ""), header.get("rows")
    if not isinstance(labels, list) or len(labels) > MOST_CATEGORIES or not all(isinstance(x, str) for x in labels):
        raise _malformed("its list of categories cannot be read")
    if not isinstance(counts, dict) or not all(type(n) is int and n >= 0 for n in counts.values()):
        raise _malformed("its numbers of examples cannot be read")
    if not isinstance(temperature, float) or not 0 < temperature < 1e6:
        raise _malformed("its temperature is not a positive number")
    if stranger is not None and not (isinstance(stranger, float) and math.isfinite(stranger)):
        raise _malformed("its score of a stranger is not a number")
    if type(rows) is not int or not 0 <= rows <= BUCKETS:
        raise _malformed("its number of rows is impossible")
    return labels, counts, rows


def _inflated(deflated: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(deflated, size + 1)
    except zlib.error as error:
        raise _malformed("its numbers cannot be decompressed") from error
    if len(body) != size or not inflater.eof or inflater.unused_data:
        raise _malformed("it holds more or fewer numbers than its header says")
    return body


def _malformed(why: str) -> Malformed:
    return Malformed(
        f"The stored local model cannot be used: {why}. It was not loaded. "
        "Roll back to an earlier version, or refit the model from the corrections."
    )
