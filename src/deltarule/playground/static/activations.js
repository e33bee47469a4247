// sigma and sigma' of every activation that a model file can name, as nn/activations.py states them. Touches no page.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const sigmoidSlope = (z) => sigmoid(z) * sigmoid(-z); // a (1 - a), whose difference would lose digits where a is near 1

/** How one number answers to another, and how steeply: value(z, part), slope(z, a, part). */
const ELEMENTWISE = {
    identity: { value: (z) => z, slope: () => 1 },
    sigmoid: { value: sigmoid, slope: sigmoidSlope },
    tanh: { value: Math.tanh, slope: (z) => 4 * sigmoidSlope(2 * z) },
    relu: { value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
    leaky_relu: { value: (z, part) => (z > 0 ? z : part.slope * z), slope: (z, a, part) => (z > 0 ? 1 : part.slope) },
    elu: {
        value: (z, part) => (z > 0 ? z : part.alpha * Math.expm1(z)),
        slope: (z, a, part) => (z > 0 ? 1 : part.alpha * Math.exp(z)),
    },
    silu: {
        value: (z) => z * sigmoid(z),
        slope: (z, a) => {
            const s = sigmoid(z);
            return s + a * (1 - s);
        },
    },
    exponential: { value: Math.exp, slope: (z, a) => a },
};

/** The names of all activations. */
export const ACTIVATIONS = [...Object.keys(ELEMENTWISE), "softmax"];

/**
 * Where sigma has no derivative, and so backpropagation picks a side: z = 0 for these.
 * @param {{name: string}} part an activation as the model file has it: its name and settings
 */
export function hasKink(part) {
    return part.name === "relu" || part.name === "leaky_relu" || (part.name === "elu" && part.alpha !== 1);
}

/** Whether an output depends on the z of its own neuron alone. */
export function isElementwise(part) {
    return part.name !== "softmax";
}

/** sigma of one number, for an elementwise activation. */
export function activated(part, z) {
    return ELEMENTWISE[part.name].value(z, part);
}

/** sigma'(z), given z and a = sigma(z): numbers, for an elementwise activation. */
export function slope(part, z, a) {
    return ELEMENTWISE[part.name].slope(z, a, part);
}

/**
 * sigma of a layer.
 * @param {{name: string}} part
 * @param {Float64Array} z (fan_out)
 * @returns {Float64Array} a (fan_out), new
 */
export function activate(part, z) {
    if (isElementwise(part)) {
        return z.map((each) => activated(part, each));
    }
    const largest = z.reduce((most, each) => Math.max(most, each), -Infinity);
    const e = z.map((each) => Math.exp(each - largest)); // no overflow, same quotient
    const sum = e.reduce((total, each) => total + each, 0);
    return e.map((each) => each / sum);
}

/**
 * dC/da becomes dC/dz.
 * @param {{name: string}} part
 * @param {Float64Array} gradient dC/da (fan_out)
 * @param {Float64Array} z (fan_out)
 * @param {Float64Array} a (fan_out)
 * @returns {Float64Array} delta (fan_out), new
 */
export function throughActivation(part, gradient, z, a) {
    if (isElementwise(part)) {
        return gradient.map((each, j) => each * slope(part, z[j], a[j]));
    }
    const mean = gradient.reduce((total, each, j) => total + each * a[j], 0);
    return gradient.map((each, j) => a[j] * (each - mean));
}
