// C and dC/da of one example, as nn/losses.py states them. Touches no page.

const TINY = 2 ** -1022; // the smallest normal number: the logarithm of a probability that underflowed stays finite

const aboveZero = (a) => Math.max(a, TINY);

/** t ln(t / a) - t + a, where t ln(t / a) is 0 at t = 0. */
const halfDeviance = (a, logA, t) => (t > 0 ? t * (Math.log(t) - logA) : 0) - t + a;

/** What one output costs, and dC/da: of (a, t). */
const FORMULAS = {
    quadratic: { cost: (a, t) => 0.5 * (a - t) ** 2, gradient: (a, t) => a - t },
    cross_entropy: { cost: (a, t) => -t * Math.log(aboveZero(a)), gradient: (a, t) => -t / aboveZero(a) },
    binary_cross_entropy: {
        cost: (a, t) => -(t * Math.log(aboveZero(a)) + (1 - t) * Math.log(aboveZero(1 - a))),
        gradient: (a, t) => (a - t) / aboveZero(a * (1 - a)),
    },
    poisson: { cost: (a, t) => halfDeviance(a, Math.log(aboveZero(a)), t), gradient: (a, t) => 1 - t / aboveZero(a) },
};

/** The output with which BP1 is proven to collapse to a - t. */
const SHORTCUT_FOR = { cross_entropy: "softmax", binary_cross_entropy: "sigmoid", poisson: "exponential" };

/** The names of all losses. */
export const LOSSES = Object.keys(FORMULAS);

/**
 * Whether BP1 is proven to be a - t for this output and loss.
 * @param {{name: string}} loss
 * @param {{name: string}} output
 */
export function hasShortcut(loss, output) {
    return SHORTCUT_FOR[loss.name] === output.name;
}

/**
 * y as targets, one an output: a class index becomes one-hot, smoothed where the loss says so.
 * @param {{name: string, label_smoothing?: number}} loss
 * @param {number} count how many outputs
 * @param {number | ArrayLike<number>} y class index, or a number for each output
 * @returns {Float64Array} t (outputs)
 */
export function targets(loss, count, y) {
    const t = typeof y === "number" ? new Float64Array(count) : Float64Array.from(y);
    if (typeof y === "number") {
        t[y] = 1;
    }
    const share = loss.label_smoothing ?? 0;
    const level = loss.name === "cross_entropy" ? 1 / count : 0.5;
    return share === 0 ? t : t.map((each) => (1 - share) * each + share * level);
}

/**
 * C of one example, from the outputs.
 * @param {{name: string}} loss
 * @param {Float64Array} a (outputs)
 * @param {Float64Array} t (outputs)
 */
export function lossOf(loss, a, t) {
    return a.reduce((total, each, j) => total + FORMULAS[loss.name].cost(each, t[j]), 0);
}

/**
 * C from the z of an output that the loss has a shortcut for: right even where its probability would round to 0.
 * @param {{name: string}} loss
 * @param {Float64Array} z (outputs)
 * @param {Float64Array} t (outputs)
 */
export function lossFromZ(loss, z, t) {
    if (loss.name === "binary_cross_entropy") {
        return z.reduce((total, each, j) => total + Math.max(each, 0) - t[j] * each + Math.log1p(Math.exp(-Math.abs(each))), 0);
    }
    if (loss.name === "poisson") {
        return z.reduce((total, each, j) => total + halfDeviance(Math.exp(each), each, t[j]), 0);
    }
    const top = z.indexOf(z.reduce((most, each) => Math.max(most, each), -Infinity));
    let others = 0;
    let wanted = 0;
    for (let j = 0; j < z.length; j += 1) {
        others += j === top ? 0 : Math.exp(z[j] - z[top]);
        wanted += t[j] * (z[j] - z[top]);
    }
    return Math.log1p(others) - wanted; // the largest term is 1: a small loss keeps all its digits
}

/**
 * dC/da of one example.
 * @param {{name: string}} loss
 * @param {Float64Array} a (outputs)
 * @param {Float64Array} t (outputs)
 * @returns {Float64Array} (outputs)
 */
export function lossGradient(loss, a, t) {
    return a.map((each, j) => FORMULAS[loss.name].gradient(each, t[j]));
}
