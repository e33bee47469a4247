// A .safetensors model file, read as files/model_file.py writes it. Touches no page.

import { about as engine } from "../engine/module.js";

/**
 * @typedef {object} Network
 * @property {number[]} sizes inputs, hidden ..., outputs
 * @property {string[]} hidden the activation of each hidden layer, by name
 * @property {string} output the last activation
 * @property {string} loss
 * @property {{name: string}[]} parts the activation of layer l = 1 .. L at l - 1, with its settings (slope, alpha)
 * @property {{name: string}} lossPart the loss with its settings (label_smoothing)
 * @property {Float64Array[]} weights of layer l at l - 1: (fan_in * fan_out), w from k to j at k * fan_out + j
 * @property {Float64Array[]} biases of layer l at l - 1: (fan_out)
 * @property {string | null} task "classes", "labels" or "values"; null if the network has learned nothing yet
 * @property {boolean} pixels whether the user's inputs are uint8 pixels; here they come as value / 255
 * @property {string[]} classNames one an output
 * @property {number[] | null} imageShape [height, width] of an input
 * @property {string | null} reading how its images were made: "digits", as MNIST's, "images", as they are; null: unknown
 * @property {{name: string, categories: string[]}[]} fields the meaning of the inputs: a number each, or one for each category
 * @property {{weight: number[], bias: number} | null} doubt one more output, which shows how unusual an input is
 * @property {{mean: Float64Array, scale: Float64Array} | null} scaling how inputs were standardized
 * @property {{mean: Float64Array, scale: Float64Array} | null} targetScaling how targets were
 */

const READERS = { F32: Float32Array, F64: Float64Array };

/**
 * The network in the bytes of a model file.
 * @returns {Network}
 */
export function readModel(buffer) {
    const { header, start } = headerOf(buffer);
    const text = header.__metadata__?.deltarule;
    if (text === undefined) {
        throw new Error("expected a model file of deltarule: got a .safetensors file without deltarule's description");
    }
    const about = said(JSON.parse(text));
    const tensor = (name) => tensorOf(buffer, start, header[name], name);
    const scaling = (name) => (about[`${name}_scaling`] ? { mean: tensor(`${name}.mean`), scale: tensor(`${name}.scale`) } : null);
    const layers = about.activations.map((_, l) => l);
    const names = about.activations.map((part) => known("activation", part.name));
    return {
        sizes: about.layer_sizes,
        hidden: names.slice(0, -1),
        output: names[names.length - 1],
        loss: known("loss", about.loss.name),
        parts: about.activations,
        lossPart: about.loss,
        weights: layers.map((l) => tensor(`layers.${l}.weight`)),
        biases: layers.map((l) => tensor(`layers.${l}.bias`)),
        task: about.task,
        pixels: about.pixels,
        classNames: about.class_names,
        imageShape: about.image_shape,
        reading: about.reading ?? null,
        fields: fieldsOf(about),
        doubt: about.doubt ?? null,
        scaling: scaling("input"),
        targetScaling: scaling("target"),
    };
}

/** The same network with other parameters: all weights, layer by layer, then all biases, as of nn/parameters.py. */
export function withParameters(network, vector) {
    let start = 0;
    const next = ({ length }) => Float64Array.from(vector.subarray(start, start += length));
    return { ...network, weights: network.weights.map(next), biases: network.biases.map(next) };
}

/** The content of a file of any format, required or optional, with the keys of format 3: see files/model_file.py. */
function said({ format, required, optional, ...older }) {
    if (format === 3) {
        return { ...optional, ...required };
    }
    const { columns, input_scaling, layer_sizes, task } = older;
    const isMnist = layer_sizes[0] === 784 && task === "classes" && !input_scaling && columns.length === 0;
    const image_shape = older.image_shape ?? (isMnist ? [28, 28] : null);
    return { ...older, image_shape, pixels: image_shape !== null && columns.length === 0 };
}

function headerOf(buffer) {
    const length = buffer.byteLength < 8 ? Infinity : Number(new DataView(buffer).getBigUint64(0, true));
    if (length > buffer.byteLength - 8) {
        throw new Error(`expected a model file of deltarule: got ${buffer.byteLength} bytes that are not a .safetensors file`);
    }
    const text = new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length));
    return { header: JSON.parse(text), start: 8 + length };
}

function tensorOf(buffer, start, entry, name) {
    const Reader = READERS[entry?.dtype];
    if (Reader === undefined) {
        throw new Error(`expected the array ${name} in float32 or float64: got ${entry?.dtype ?? "none"}`);
    }
    const [from, to] = entry.data_offsets;
    return Float64Array.from(new Reader(buffer.slice(start + from, start + to))); // a copy, so that it is aligned
}

function known(what, name) {
    const names = Object.keys(engine.parts[what]);
    if (!names.includes(name)) {
        throw new Error(`no ${what} is called ${name}: this page knows ${names.join(", ")}`);
    }
    return name;
}

/** What each number that a network reads is called: the name of a column, or one for each of its categories. */
export const inputNames = ({ fields }) =>
    fields.flatMap(({ name, categories }) => (categories.length > 0 ? categories.map((category) => `${name}=${category}`) : [name]));

/** What the inputs are: the columns of a table, or numbers without a name. */
function fieldsOf({ columns, layer_sizes: [size] }) {
    const bare = Array.from({ length: columns.length > 0 ? 0 : size }, (_, index) => `input ${index}`);
    return [...columns, ...bare].flatMap((column) => {
        const field = typeof column === "string" ? { name: column, categories: [] } : column; // of format 1
        return field.indicator ? [field, { name: `${field.name} is missing`, categories: [] }] : [field];
    });
}
