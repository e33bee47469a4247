// Is what backpropagation says the derivative? Nudges that know nothing of it answer. Touches no page.

import { quantityOf, slopeAt } from "./backprop_steps.js";
import { activate, forward, hasKink, isElementwise, update } from "./engine/network.js";
import { nudge, probeOf } from "./engine/nudges.js";

const NUDGED = { d: "z", gb: "bias", gW: "weight", gx: "input" };
const STEP = 1e-5;
const TOLERANCE = 1e-5; // what central differences let one see

/**
 * @typedef {object} Verdict
 * @property {number} count how many numbers were compared
 * @property {number} kinks how many were left out, because an activation has no derivative there
 * @property {number} error norm of the difference / norm of the numeric derivative
 * @property {boolean} ok
 * @property {boolean} tiny whether the derivative drowns in rounding, so that agreeing means little
 */

/** Whether a quantity has a numeric derivative to be compared with. */
export function canCheck(kind) {
    return kind in NUDGED || ["a", "nW", "nb"].includes(kind);
}

/** What is compared, in words. */
export function comparison(kind) {
    if (kind === "a") {
        return "σ′ with (σ(z + h) − σ(z − h)) / 2h";
    }
    return kind in NUDGED ? "with (C(+h) − C(−h)) / 2h" : "how fast C falls along the step, −|∂C/∂p|², with (C(+h) − C(−h)) / 2h";
}

/** Both answers for one number: {slope, numeric, rounding, kink}; null where a quantity has none. */
export function compareOne(walk, probe, { kind, l, values }, index) {
    if (kind === "a") {
        return compareSlope(walk, l, index);
    }
    if (!(kind in NUDGED)) {
        return null;
    }
    const found = nudge(probe, NUDGED[kind], l, index);
    return { slope: values[index], numeric: found.slope, rounding: found.rounding, kink: found.kink };
}

function compareSlope(walk, l, j) {
    const part = walk.network.parts[l - 1];
    const [z, a] = [walk.trace.z[l], walk.trace.a[l][j]];
    const moved = (step) => activate(part, z.map((each, k) => (k === j ? each + step : each)))[j];
    const numeric = (moved(STEP) - moved(-STEP)) / (2 * STEP);
    const kink = hasKink(part) && Math.abs(z[j]) <= STEP;
    return { slope: isElementwise(part) ? slopeAt(walk, l, j) : a * (1 - a), numeric, rounding: 1e-11 * Math.max(1, Math.abs(a)), kink };
}

/** How fast C falls along the step, from the gradient and from two passes with the parameters moved. */
function compareDescent(walk) {
    const { network, gradient, x, y } = walk;
    const square = (parts) => parts.reduce((sum, part) => sum + part.reduce((each, slope) => each + slope * slope, 0), 0);
    const squared = square(gradient.weights) + square(gradient.biases);
    const step = squared > 0 ? STEP / Math.sqrt(squared) : STEP;
    const after = (by) => forward(update(network, gradient, by), x, y).loss;
    return { slope: -squared, numeric: (after(step) - after(-step)) / (2 * step), rounding: (1e-15 * (1 + walk.loss)) / step, kink: false };
}

/**
 * Compares a quantity, a few numbers at a time: a generator that yields how many it has done and returns a Verdict.
 * @param {object} walk
 * @param {string} id of the quantity
 * @param {number[] | null} indices which of its numbers; null for all
 */
export function* checking(walk, id, indices = null) {
    const checked = quantityOf(walk, id);
    const probe = probeOf(walk.network, walk.x, walk.y);
    const along = checked.kind in NUDGED || checked.kind === "a" ? null : compareDescent(walk);
    const count = along ? 1 : (indices ?? checked.values).length;
    const comparisons = [];
    for (let n = 0; n < count; n += 1) {
        comparisons.push(along ?? compareOne(walk, probe, checked, indices ? indices[n] : n));
        yield n + 1;
    }
    return verdict(comparisons);
}

/**
 * Which numbers of a quantity are checked where all are too much work: as many as `most` multiplications allow, evenly
 * spread; null for all.
 */
export function spread(walk, id, most = 2e10) {
    const { kind, l, values } = quantityOf(walk, id);
    const { sizes } = walk.network;
    const products = sizes.slice(1).map((size, at) => (at > l ? size * sizes[at] : 0));
    const cost = kind in NUDGED ? 2 * (products.reduce((sum, each) => sum + each, 0) + (sizes[l + 1] ?? 1)) : 1;
    const count = Math.max(1, Math.floor(most / cost));
    return count >= values.length ? null : Array.from({ length: count }, (_, n) => Math.floor((n * values.length) / count));
}

/** @returns {Verdict} what comparisons, as `compareOne` makes them, come to; those at a kink are left out */
export function verdict(comparisons) {
    const counted = comparisons.filter(({ kink }) => !kink);
    const squares = (numberOf) => counted.reduce((sum, each) => sum + numberOf(each) ** 2, 0);
    const off = squares(({ slope, numeric }) => slope - numeric);
    const isRounding = off <= squares(({ rounding }) => rounding);
    const error = off === 0 ? 0 : Math.sqrt(off / squares(({ numeric }) => numeric));
    const [count, kinks, isClose] = [comparisons.length, comparisons.length - counted.length, error <= TOLERANCE];
    return { count, kinks, error, ok: isClose || isRounding, tiny: !isClose && isRounding };
}
