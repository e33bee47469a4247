// A .safetensors model file, read as files/model_file.py writes it. Touches no page.

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
    const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8)));
    const { required, optional } = JSON.parse(header.__metadata__.deltarule);
    const about = { ...optional, ...required };
    const tensor = (name) => {
        const { dtype, data_offsets: [from, to] } = header[name];
        return Float64Array.from(new READERS[dtype](buffer.slice(start + from, start + to))); // a copy, so that it is aligned
    };
    const scaling = (name) => (about[`${name}_scaling`] ? { mean: tensor(`${name}.mean`), scale: tensor(`${name}.scale`) } : null);
    const layers = about.activations.map((_, l) => l);
    const names = about.activations.map(({ name }) => name);
    return {
        sizes: about.layer_sizes,
        hidden: names.slice(0, -1),
        output: names[names.length - 1],
        loss: about.loss.name,
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

/** What each number that a network reads is called: the name of a column, or one for each of its categories. */
export const inputNames = ({ fields }) =>
    fields.flatMap(({ name, categories }) => (categories.length > 0 ? categories.map((category) => `${name}=${category}`) : [name]));

/** The fields of numbers without a name. */
export const bareFields = (size) => Array.from({ length: size }, (_, index) => ({ name: `input ${index}`, categories: [] }));

/** What the inputs are: the columns of a table, or numbers without a name. */
function fieldsOf({ columns, layer_sizes: [size] }) {
    return (columns.length > 0 ? columns : bareFields(size)).flatMap((field) => (field.indicator ? [field, { name: `${field.name} is missing`, categories: [] }] : [field]));
}
