"""Where published data sets are found, whose they are, and how their files are told from others."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deltarule.data.dataset import Splits
from deltarule.data.readers.idx import idx_header, read_idx
from deltarule.errors import DataError


@dataclass(frozen=True)
class PublishedFile:
    """One IDX file as it was published, compressed with gzip.

    name: as on every mirror, with .gz.
    content_bytes: how many it has when decompressed.
    sha256, content_sha256: of the compressed and of the decompressed bytes; the latter "" where nobody published it.
    """

    name: str
    content_bytes: int
    sha256: str
    content_sha256: str = ""

    def read(self, path: Path) -> NDArray[np.uint8]:
        """The array in `path`, compressed or not. Raises DataError where by both hashes it is not the published one."""
        content = read_idx(path, most_bytes=self.content_bytes)
        with path.open("rb") as stored:
            if hashlib.file_digest(stored, "sha256").hexdigest() == self.sha256:
                return content
        digest = hashlib.sha256(idx_header(content.shape))
        digest.update(content.data)
        if digest.hexdigest() == self.content_sha256:
            return content
        raise DataError(f"{path}: the SHA-256 of {self.name} as published was expected: got that of another file")


@dataclass(frozen=True)
class Source:
    """A data set: what it holds, whose it is, and where it comes from.

    load: makes it, where it comes with deltarule; else its files are published, on mirrors, each a URL that becomes a
        file's when its name is appended.
    megabytes: how much there is to download, rounded up.
    files: images and labels to train on, images and labels to test on.
    """

    says: str
    license: str
    citation: str
    load: Callable[[], Splits] | None = None
    class_names: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    megabytes: int = 0
    files: tuple[PublishedFile, ...] = ()


# Names and sizes of the files of MNIST, and of those that are like it.
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": 47_040_016,
    "train-labels-idx1-ubyte.gz": 60_008,
    "t10k-images-idx3-ubyte.gz": 7_840_016,
    "t10k-labels-idx1-ubyte.gz": 10_008,
}


def files_like_mnist(hashes: Sequence[str], content_hashes: Sequence[str] = ("",) * 4) -> tuple[PublishedFile, ...]:
    """Four files of the names and sizes of MNIST's, with their hashes."""
    return tuple(
        PublishedFile(name, n_bytes, sha256, content_sha256)
        for (name, n_bytes), sha256, content_sha256 in zip(MNIST_FILES.items(), hashes, content_hashes, strict=True)
    )


CLOTHES = "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot"
SOURCES = {
    "mnist": Source(
        says="70,000 handwritten digits of 28x28 pixels, the last 10,000 to test on",
        license="CC BY-SA 3.0",
        citation="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, 1998",
        class_names=tuple("0123456789"),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
        megabytes=12,
        files=files_like_mnist(
            [
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ],
            [
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ],
        ),
    ),
    "fashion-mnist": Source(
        says="70,000 pictures of clothes in MNIST's format",
        license="MIT",
        citation="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
        class_names=tuple(CLOTHES.split(", ")),
        mirrors=("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",),
        megabytes=31,
        files=files_like_mnist(
            [
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ]
        ),
    ),
    "kmnist": Source(
        says="70,000 cursive Japanese characters of ten kinds in MNIST's format",
        license="CC BY-SA 4.0",
        citation="T. Clanuwat et al., Deep learning for classical Japanese literature, arXiv:1812.01718, 2018",
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        mirrors=("https://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        megabytes=22,
        files=files_like_mnist(
            [
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ]
        ),
    ),
}
