"""Makes one HTML file that shows a network offline: draw inputs, look inside it, and follow backpropagation.

The file holds the playground's own modules as one script, compressed; the engine; the model file with float32
parameters; examples, if given; and the bundled digits, to train on, if the network reads such images. Its
Content-Security-Policy allows only these to run, and nothing to load.
"""

import base64
import gzip
import hashlib
import html
import json
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np

from deltarule.atomic import AnyPath, write_atomically
from deltarule.data.built_in import digit_cells
from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, sentence
from deltarule.files.model_file import model_argument, model_bytes
from deltarule.model import Model, Standardization
from deltarule.native.loader import page_engine
from deltarule.nn.network import Network
from deltarule.public import public

MOST_EXAMPLES = 200
MOST_PARAMETERS = 20_000_000  # 107 MB of page: a browser still opens it
LINK = re.compile(r'<link rel="stylesheet" href="static/([\w/.-]+)">\n?')
SCRIPT = '<script type="module" src="static/main.js"></script>\n'

# The few forms of import and export that the page's modules use, each at the beginning of a line.
FROM = re.compile(r'^(import|export)\s*\{([^}]*)\}\s*from\s*"(\.\.?/[\w/.-]+)";\n?', re.M)
DECLARATION = re.compile(r"^export\s+((?:async\s+)?function\*?|class|const)\s+(\w+)", re.M)
AROUND, KEPT = re.compile(r"\s*([{};,])\s*"), r"\1"  # whitespace without meaning in a style sheet
INDENTATION = re.compile(r"^[ \t]+", re.M)
COMMENTS = re.compile(r"^[ \t]*//.*\n|^[ \t]*/\*[\s\S]*?\*/[ \t]*\n", re.M)


@public()
@dataclass(frozen=True)
class Page:
    """A page that shows a network. In a notebook it is displayed in a frame; `save` writes it to a file.

    html: the whole page. height: of the frame in a notebook, in pixels.
    """

    html: str
    height: int = 1000

    def save(self, path: AnyPath, *, force: bool = False) -> None:
        """Write the page to a file, whole or not at all. FileError if that fails.

        `save` replaces an older page of deltarule, any other file only with `force`.
        """
        write_atomically(path, self.html.encode(), "page", force=force)

    def _repr_html_(self) -> str:
        frame = f'width="100%" height="{self.height}" style="border: 0" title="A network to draw for and look inside"'
        return f'<iframe sandbox="allow-scripts" {frame} srcdoc="{html.escape(self.html)}"></iframe>'

    def __repr__(self) -> str:
        return f"<Page, {len(self.html.encode()):,} bytes: page.save(path) writes it, a notebook shows it>"


@public('show(network).save("network.html"), or show(network, dr.Dataset(X, y))')
def show(thing: Network | Model, examples: Dataset | None = None) -> Page:
    """Make a page to draw inputs for a network, look inside it and follow backpropagation, without a server.

    If the network reads images of 28 x 28 and has ten outputs, the page also trains a new one on the bundled digits.

    examples: the page begins with them and, for classes, shows the mistakes on them; at most 200, evenly chosen.
        Without them, a network that reads digits in MNIST's format gets bundled digits that the page never trains on.

    As the last line of a notebook's cell the page is displayed; `.save("network.html")` writes it to a file that opens
    from disk. A network for other inputs than images of 28 x 28 pixels gets fields for numbers instead of a pad to draw
    on; one that was trained on flat rows of pixels gets a pad after  network.image_shape = (28, 28).

    Raises SettingError for a custom activation or loss, more than 20 million parameters, or examples that do not fit.

    >>> show(Network((784, 30, 10)))  # doctest: +ELLIPSIS
    <Page, ... bytes: page.save(path) writes it, a notebook shows it>
    """
    model = model_argument(thing, "dr.show(network)")
    network = model.network
    if network.dtype not in (np.float32, np.float64):
        raise SettingError(f"a page shows float32 or float64: got {network.dtype}; give network.astype(np.float64)")
    if network.parameters.size > MOST_PARAMETERS:
        raise SettingError(sentence("files.large_page", most=MOST_PARAMETERS, got=network.parameters.size))
    with np.errstate(over="ignore"):  # what is too large for float32 is refused below as not finite
        smaller = replace(in_ink(model), network=network.astype(np.float32))
    parts = {"engine": page_engine(), "model": model_bytes(smaller, "the page was not made")}
    if examples is not None:
        if examples.task != model.task:
            raise SettingError(sentence("files.page_examples", model=model, examples=examples))
        model.scaled(examples.take(slice(1)))  # raises where they do not fit
        count = min(MOST_EXAMPLES, examples.n_samples)
        chosen = [page_example(model, examples, k * examples.n_samples // count) for k in range(count)]
        parts["examples"] = json.dumps(chosen, separators=(",", ":")).encode()
    if learns := model.image_shape == (28, 28) and network.layer_sizes[-1] == 10:
        parts["digits"] = digit_cells()
    judges = model.task == "classes" and (examples is not None or (learns and network.reading == "digits"))
    hidden = [tab for tab, is_shown in {"train": learns, "mistakes": judges}.items() if not is_shown]
    return Page(_page(parts, hidden))


def reads_bytes(model: Model) -> bool:
    """Whether a model takes images as numbers from 0 to 255: not as pixels (divided by 255), nor from 0 to 1."""
    return model.image_shape is not None and not (model.pixels or model.reads_ink)


def in_ink(model: Model) -> Model:
    """Adapt a model that takes images from 0 to 255 to the page's drawings from 0 to 1, by its input scaling."""
    if not reads_bytes(model):
        return model
    ones = np.ones(model.network.layer_sizes[0])
    learned = model.input_scaling or Standardization(0.0 * ones, ones)
    return replace(model, input_scaling=Standardization(learned.mean / 255.0, learned.scale / 255.0))


def page_example(model: Model, dataset: Dataset, index: int) -> dict[str, object]:
    """One example of `dataset` for the page: pixels from 0 to 255, or a number for each input, in its own units."""
    inputs, target = model.unscaled(dataset.inputs[index : index + 1])[0], dataset.targets[index]
    is_bytes = inputs.dtype == np.uint8 or reads_bytes(model)
    return {"x": inputs.tolist(), "label": target.tolist(), "pixels": is_bytes, "index": index}


def _page(parts: dict[str, bytes], hidden: list[str]) -> str:
    """The page's HTML: index.html with its styles, script and `parts` as data inside it, and `hidden` tabs hidden."""
    page = LINK.sub(lambda found: f"<style>{AROUND.sub(KEPT, compact(_read(found[1])))}</style>\n", _read("index.html"))
    program = f"{bundle('main.js', _read)}//# sourceURL=deltarule.js\n".encode()
    loader = f"\n{_read('loader.js')}"
    allowed = " ".join(f"'sha256-{_base64(hashlib.sha256(each).digest())}'" for each in (loader.encode(), program))
    policy = (
        f"default-src 'none'; script-src {allowed} 'wasm-unsafe-eval'; worker-src blob:; "
        "style-src 'unsafe-inline'; img-src data: blob:"
    )
    mark = '<meta name="generator" content="deltarule">'  # which `atomic.py` looks for
    meta = f'<meta charset="utf-8">\n{mark}\n<meta http-equiv="Content-Security-Policy" content="{policy}">'
    for tab in hidden:
        page = page.replace(f'id="tab-{tab}"', f'id="tab-{tab}" hidden')
    packed = {name: _base64(gzip.compress(each, mtime=0)) for name, each in {"program": program, **parts}.items()}
    scripts = [f'<script type="text/plain" id="{name}">{content}</script>' for name, content in packed.items()]
    scripts.append(f'<script type="module">{loader}</script>')
    page = page.replace(SCRIPT, "").replace('<meta charset="utf-8">', meta)
    return page.replace("</body>", "\n".join([*scripts, "</body>"]))


def _read(name: str) -> str:
    """The text of a file of the playground."""
    return files("deltarule").joinpath("playground", "static", name).read_text(encoding="utf-8")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def compact(text: str) -> str:
    """Remove comments and indentation from a script or a style sheet."""
    text = COMMENTS.sub("", text)
    is_template = any(line.count("`") % 2 for line in text.splitlines())  # a string of several lines would change
    return text if is_template else INDENTATION.sub("", text)


def bundle(entry: str, read: Callable[[str], str]) -> str:
    r"""Combine the ES module `entry` and all that it imports into one script, without comments and indentation.

    Every module becomes a function that runs once, after its imports, and returns its exports.
    read: gives the text of a module by its name. `import("./name.js")` stays as it is, and finds no module.

    >>> modules = {"a.js": 'import { f } from "./b.js";\nf();\n', "b.js": "export const f = alert;\n"}
    >>> print(bundle("a.js", modules.__getitem__))
    const modules = {};
    modules["b.js"] = (() => {
    const f = alert;
    return { f };
    })();
    modules["a.js"] = (() => {
    const { f } = modules["b.js"];
    f();
    return {  };
    })();
    <BLANKLINE>
    """
    modules: dict[str, str] = {}

    def add(name: str) -> None:
        if name in modules:
            return
        text = compact(read(name))
        exports = [found[2] for found in DECLARATION.finditer(text)]

        def binding(found: re.Match[str]) -> str:
            home = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[3]))
            add(home)
            pairs = [re.split(r"\s+as\s+", part.strip()) for part in found[2].split(",") if part.strip()]
            if found[1] == "export":
                exports.extend(f'{pair[-1]}: modules["{home}"].{pair[0]}' for pair in pairs)
                return ""
            return f'const {{ {", ".join(": ".join(pair) for pair in pairs)} }} = modules["{home}"];\n'

        body = DECLARATION.sub(r"\1 \2", FROM.sub(binding, text))
        modules[name] = f'modules["{name}"] = (() => {{\n{body.strip()}\nreturn {{ {", ".join(exports)} }};\n}})();'

    add(entry)
    return "\n".join(["const modules = {};", *modules.values(), ""])
