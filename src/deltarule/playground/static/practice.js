// Two networks small enough to work through on paper. Touches no page.

/**
 * @typedef {object} Practice
 * @property {string} id
 * @property {string} title
 * @property {string} says
 * @property {import("./model_file.js").Network} network
 * @property {Float64Array} x
 * @property {number | Float64Array} y
 */

/** A network of these parameters, without columns or a scaling. */
export function small(sizes, hidden, output, loss, task, weights, biases) {
    return {
        sizes, output, loss, task, hidden: sizes.slice(2).map(() => hidden), lossPart: { name: loss },
        parts: [...sizes.slice(2).map(() => ({ name: hidden })), { name: output }],
        weights: weights.map((each) => Float64Array.from(each)), biases: biases.map((each) => Float64Array.from(each)),
        classNames: Array.from({ length: sizes.at(-1) }, (_, j) => String(j)),
        imageShape: null, fields: [], scaling: null, targetScaling: null,
    };
}

/** @returns {Practice[]} made anew, so that their numbers may be changed */
export function practices() {
    return [
        {
            id: "2-3-2",
            title: "2 – 3 – 2",
            says: "Two numbers in, three sigmoid neurons, a softmax over two answers; the right one is 0. Every sum has four terms at most.",
            network: small([2, 3, 2], "sigmoid", "softmax", "cross_entropy", "classes",
                [[0.5, -1, 0.8, 1.2, 0.4, -0.6], [1, -0.5, -0.7, 0.9, 0.3, 0.6]], [[0.1, 0, -0.2], [0, 0.1]]),
            x: Float64Array.of(1, 0.5),
            y: 0,
        },
        {
            id: "1-1-1-1",
            title: "1 – 1 – 1 – 1",
            says: "A chain of three sigmoid neurons that should answer 1 to 1, and loses half the squared error. No sums at all: the chain rule, link by link.",
            network: small([1, 1, 1, 1], "sigmoid", "sigmoid", "quadratic", "values", [[0.6], [-1.2], [0.9]], [[0.2], [0.5], [-0.4]]),
            x: Float64Array.of(1),
            y: Float64Array.of(1),
        },
    ];
}
