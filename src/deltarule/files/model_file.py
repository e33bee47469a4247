"""Model files: a network and the meaning of its numbers, in one .safetensors file; nothing in it is executed.

The arrays are layers.0.weight (fan_in, fan_out), layers.0.bias (fan_out,), layers.1.weight and so on; then, if inputs
or targets are standardized, input.mean, input.scale, target.mean, target.scale. The rest is canonical JSON (sorted
keys, no spaces) under the one metadata key "deltarule": the format's version; `required`, whose unknown keys are
refused by name; `optional`, whose unknown keys are ignored; and a digest, the SHA-256 of that JSON without the digest,
followed by the arrays' bytes in the order above. So later versions can add keys without a new format; the key `members`
is reserved for them. The optional `doubt` is numbers in JSON, because older versions refuse unknown arrays.
"""

import io
import math
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import msgspec
import numpy as np

from deltarule.atomic import AnyPath, write_atomically
from deltarule.data.columns import Column
from deltarule.elsewhere import is_a
from deltarule.errors import LOG, ModelFileError, SettingError, install_command, read_tables, sentence
from deltarule.files.tensor_file import Dtype, SignedFile, Slot, open_file, signed_file_bytes
from deltarule.model import Doubt, Model, Standardization
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, with_meaning
from deltarule.parts import Kind, make, part_of, spec_of
from deltarule.public import check_network, public
from deltarule.settings import Task, brief, check_path

FORMAT = 3
# pretrained/README.md describes it; scripts/make_pretrained.py trained it.
PRETRAINED = Path(__file__).parents[1] / "pretrained" / "pretrained.safetensors"
OPTIONAL = ("input_range", "reading", "record", "doubt")
MEANING = ("task", "pixels", "class_names", "image_shape")  # attributes of a network
Size = Annotated[int, msgspec.Meta(ge=1)]
Modest = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Part = dict[str, str | float]  # a name from the table of parts, and its settings
JSON_RULE = "names and the record of a model must be strings, finite numbers, lists and dicts of these"


class ColumnEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON of a Column: a column of the table that the inputs come from."""

    name: str
    categories: tuple[str, ...]
    fill: float | None
    strategy: Literal["mean", "median", "most_frequent"] = "mean"
    indicator: bool = False

    def __post_init__(self) -> None:
        if len(set(self.categories)) < len(self.categories):
            raise ModelFileError(f"expected different categories in the column {self.name!r}: got one twice")


class DoubtEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON of a Doubt: one more output, which rates how unusual an input is."""

    weight: tuple[Modest, ...]
    bias: Modest


class ModelDescription(msgspec.Struct, forbid_unknown_fields=True):
    """The content of a model file, required and optional: a Model without its arrays."""

    layer_sizes: Annotated[tuple[Size, ...], msgspec.Meta(min_length=2)]
    activations: tuple[Part, ...]
    loss: Part
    dropout: tuple[float, ...]
    dtype: Literal["float32", "float64"]
    task: Task | None
    pixels: bool
    class_names: tuple[str, ...]
    image_shape: tuple[Size, Size] | None
    columns: tuple[ColumnEntry, ...]
    input_scaling: bool
    target_scaling: bool
    input_range: tuple[float, float] | None = None
    reading: str | None = None
    record: dict[str, Any] = {}
    doubt: DoubtEntry | None = None

    def __post_init__(self) -> None:
        n_inputs, n_layers, names = self.layer_sizes[0], len(self.layer_sizes) - 1, [each.name for each in self.columns]
        if len(self.activations) != n_layers:
            raise ModelFileError(f"expected an activation for each of {n_layers} layers: got {len(self.activations)}")
        if self.image_shape is not None and math.prod(self.image_shape) != n_inputs:
            raise ModelFileError(f"expected images of {n_inputs} pixels: got the shape {self.image_shape}")
        n_names = sum((len(column.categories) or 1) + column.indicator for column in self.columns)
        if n_names not in (0, n_inputs):
            raise ModelFileError(f"expected columns for {n_inputs} inputs: got columns for {n_names}")
        if len(set(names)) < len(names):
            raise ModelFileError(f"expected columns of different names: got {names}")

    def layout(self) -> dict[str, Slot]:
        """The dtypes and shapes of the arrays that the file must contain, by name, in the order of the digest."""
        number: Dtype = "F32" if self.dtype == "float32" else "F64"
        layout = {}
        for l, (fan_in, fan_out) in enumerate(pairwise(self.layer_sizes)):
            layout[f"layers.{l}.weight"] = Slot(number, (fan_in, fan_out))
            layout[f"layers.{l}.bias"] = Slot(number, (fan_out,))
        if self.input_scaling:
            layout["input.mean"] = layout["input.scale"] = Slot("F64", self.layer_sizes[:1])
        if self.target_scaling:
            layout["target.mean"] = layout["target.scale"] = Slot("F64", self.layer_sizes[-1:])
        return layout


@public('save(network, "network.safetensors")')
def save(thing: Network | Model, path: AnyPath, *, force: bool = False) -> None:
    """Write a network, or a model, to a file that `load` reads: whole or not at all.

    `save` replaces an older model of deltarule, any other file only with `force`.

    The same model gives the same bytes. The weights are saved exactly; the initializers are not saved.

    Raises SettingError for a custom activation or loss, a dtype other than float32 and float64, or a record that is not
    JSON; ModelFileError for anything that `load` would refuse (NaN in the weights, for example); FileError if the file
    cannot be written.

    >>> save(Network((784, 30, 10)), "digits.safetensors")
    """
    model = model_argument(thing, 'dr.save(network, "network.safetensors")', path)
    if not any(b.any() for b in model.network.biases):
        LOG.warning(sentence("model.untrained"))
    write_atomically(path, model_bytes(model, f"{path} was not written"), "model", force=force)


def model_bytes(thing: Network | Model, failure: str = "the model was not written") -> bytes:
    """The bytes that `save` writes. Raises as `save`; a ModelFileError begins with `failure`."""
    model = thing if isinstance(thing, Model) else Model(thing)
    network = model.network
    if network.dtype not in (np.float32, np.float64):
        raise SettingError(f"a model holds float32 or float64: got {network.dtype}; save network.astype(np.float64)")
    for part in (*network.activations, network.loss):
        if part_of(part) is None:
            raise SettingError(sentence("files.own_part", got=type(part).__name__))
    required = {name: getattr(network, name) for name in ("layer_sizes", "dropout", *MEANING)} | {
        "activations": [spec_of("activation", each) for each in network.activations],
        "loss": spec_of("loss", network.loss),
        "dtype": network.dtype.name,
        "columns": [column.fields for column in model.columns],
        "input_scaling": model.input_scaling is not None,
        "target_scaling": model.target_scaling is not None,
    }
    optional: dict[str, Any] = {"input_range": network.input_range, "record": model.record}
    optional |= {} if network.reading is None else {"reading": network.reading}
    if model.doubt is not None:
        optional["doubt"] = {"weight": np.asarray(model.doubt.weight).tolist(), "bias": float(model.doubt.bias)}
    try:
        data = signed_file_bytes({"format": FORMAT, "required": required, "optional": optional}, arrays_of(model))
    except UnicodeEncodeError as error:
        got = error.object[max(0, error.start - 20) : error.end + 20]
        raise SettingError(sentence("files.no_utf8", got=got)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(f"{JSON_RULE}: {error}") from error
    read_model(io.BytesIO(data), failure)
    return data


def arrays_of(model: Model) -> dict[str, Array]:
    """A model's arrays by their names in a file, in the order of the digest."""
    arrays = {}
    for l, (W, b) in enumerate(zip(model.network.weights, model.network.biases, strict=True)):
        arrays[f"layers.{l}.weight"], arrays[f"layers.{l}.bias"] = W, b
    for name, scaling in (("input", model.input_scaling), ("target", model.target_scaling)):
        if scaling is not None:
            arrays[f"{name}.mean"] = np.asarray(scaling.mean, np.float64)
            arrays[f"{name}.scale"] = np.asarray(scaling.scale, np.float64)
    return arrays


def model_argument(thing: Any, line: str, path: Any = "") -> Model:
    """Return a given Model, or make a Model of a given Network. SettingError for anything else, or a wrong `path`.

    line: a call that works, for the message. path: the path to write to, or empty.
    """
    if is_a(path, "Network|Model|Perceptron"):
        raise SettingError(f"a Network comes first, then a path: got {brief(thing)} first; use {line}")
    check_network(thing, line)
    check_path("path", path)
    return thing if isinstance(thing, Model) else Model(thing)


def load(path: AnyPath) -> Model:
    """Load the model in a file that `save` wrote.

    Raises FileError if there is no such file, and ModelFileError if it is damaged, hostile, of another version, or not
    a model.
    """
    if not isinstance(path, str | os.PathLike):
        raise SettingError(sentence("files.no_path", got=brief(path)))
    with open_file(path) as stream:
        _, _, reads = read_tables("elsewhere")["endings"].get(Path(path).suffix.lower(), ["", "", ""])
        use = f" (use {reads.format(path=str(path))})" if reads else ""
        return read_model(stream, f"{path} was not loaded{use}")


def read_model(stream: BinaryIO, failure: str) -> Model:
    """Read the model in an open file. ModelFileError, its message beginning with `failure`, if anything is wrong."""
    try:
        file = SignedFile(stream, "format", (1, 2, FORMAT))
        description = description_of(file.content)
        return rebuild_model(description, file.read_arrays(description.layout()))
    except (ValueError, RecursionError) as error:  # all errors of ours, of msgspec and of json are ValueErrors
        raise ModelFileError(f"{failure}: {error}") from error


class Format3(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON of format 3 without its digest."""

    format: Literal[3]
    required: dict[str, Any]
    optional: dict[str, Any]


def description_of(content: dict[str, Any]) -> ModelDescription:
    """Convert a model file's JSON, format 1 to 3, to a ModelDescription. ModelFileError for unknown required keys."""
    if content["format"] < FORMAT:
        return older_description(content)
    parts = msgspec.convert(content, Format3)
    unknown = sorted(set(parts.required) - (set(ModelDescription.__struct_fields__) - set(OPTIONAL)))
    if unknown:
        names, upgrade = ", ".join(map(repr, unknown)), install_command(option="--upgrade")
        raise ModelFileError(sentence("files.unknown_keys", names=names, upgrade=upgrade))
    optional = {name: parts.optional[name] for name in OPTIONAL if name in parts.optional}
    return msgspec.convert(parts.required | optional, ModelDescription)


def older_description(content: dict[str, Any]) -> ModelDescription:
    """Convert JSON of format 1 or 2, which have no key `pixels`; in format 1, columns are only names.

    In these formats, inputs with an image_shape are pixels, and so are 784 inputs to classes: images of 28x28.
    """
    fields = {name: value for name, value in content.items() if name != "format"}
    if content["format"] == 1:
        names = msgspec.convert(fields.get("columns"), list[str])
        fields["columns"] = [{"name": name, "categories": [], "fill": None} for name in names]
    known = msgspec.convert(fields | {"pixels": False}, ModelDescription)
    is_mnist = known.layer_sizes[0] == 784 and known.task == "classes" and not known.input_scaling
    if known.image_shape is None and is_mnist and not known.columns:
        known.image_shape = (28, 28)
    known.pixels = known.image_shape is not None and not known.columns
    return known


def make_whole(kind: Kind, spec: Part) -> Any:
    """Make the activation or loss that a file names. ModelFileError if a setting is missing: defaults may change."""
    thing = make(kind, spec)
    if (whole := spec_of(kind, thing)) != spec:
        raise ModelFileError(f"expected every setting of the {kind}, {whole}: got {spec}")
    return thing


def rebuild_model(description: ModelDescription, arrays: Mapping[str, Array]) -> Model:
    """Rebuild a model. ModelFileError for a number that is not finite, or a scale that is not above 0."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"expected finite numbers in {name!r}: got {array[~np.isfinite(array)][0]}")
        if name.endswith(".scale") and array.min() <= 0.0:
            raise ModelFileError(f"expected numbers above 0 in {name!r}: got {array.min()}")
    *hidden, output = (make_whole("activation", spec) for spec in description.activations)
    network = Network(
        description.layer_sizes,
        hidden=hidden,
        output=output,
        loss=make_whole("loss", description.loss),
        dropout=description.dropout,
        dtype=description.dtype,
    )
    network = with_meaning(network, **{name: getattr(description, name) for name in (*MEANING, *OPTIONAL[:2])})
    for name, parameters in arrays_of(Model(network)).items():
        parameters[:] = arrays[name]
    scalings: dict[str, Any] = {
        f"{side}_scaling": Standardization(arrays[f"{side}.mean"], arrays[f"{side}.scale"])
        for side in ("input", "target")
        if f"{side}.mean" in arrays
    }
    columns = tuple(Column(**msgspec.structs.asdict(each)) for each in description.columns)
    doubt = None if (entry := description.doubt) is None else Doubt(np.array(entry.weight), entry.bias)
    return Model(network, columns=columns, record=description.record, doubt=doubt, **scalings)
