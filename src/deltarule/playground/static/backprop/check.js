// Compares the derivatives of backpropagation with nudges that do not use it, for one number or for all.

import { activate, hasKink, isElementwise } from "../engine/network.js";
import { nudge, probeOf } from "../engine/nudges.js";
import { announce, button, element, inSlices } from "../shared/widgets.js";
import { quantityOf, slopeAt, stepsOf } from "./steps.js";

const NUDGED = { d: "z", gb: "bias", gW: "weight", gx: "input" };
const STEP = 1e-5;
const TOLERANCE = 1e-5; // the precision of central differences

/**
 * @typedef {object} Verdict
 * @property {number} count how many numbers were compared
 * @property {number} kinks how many were left out, because an activation has no derivative there
 * @property {number} error norm of the difference / norm of the numeric derivative
 * @property {boolean} ok
 * @property {boolean} tiny whether the derivative drowns in rounding, so that agreeing means little
 */

/** Whether a quantity has a numeric derivative for the comparison. */
export const canCheck = (kind) => kind in NUDGED || kind === "a";

/** Both answers for one number: {slope, numeric, rounding, kink}; null if a quantity has none. */
export function compareOne(walk, probe, { kind, l, values }, index) {
    if (kind === "a") {
        return compareSlope(walk, l, index);
    }
    const found = kind in NUDGED ? nudge(probe, NUDGED[kind], l, index) : null;
    return found && { ...found, slope: values[index], numeric: found.slope };
}

function compareSlope(walk, l, j) {
    const part = walk.network.parts[l - 1];
    const [z, a] = [walk.trace.z[l], walk.trace.a[l][j]];
    const moved = (step) => activate(part, z.map((each, k) => (k === j ? each + step : each)))[j];
    const numeric = (moved(STEP) - moved(-STEP)) / (2 * STEP);
    const kink = hasKink(part) && Math.abs(z[j]) <= STEP;
    return { slope: isElementwise(part) ? slopeAt(walk, l, j) : a * (1 - a), numeric, rounding: 1e-11 * Math.max(1, Math.abs(a)), kink };
}

/**
 * Compares a quantity, a few numbers at a time: a generator that yields how many it has done and returns a Verdict.
 * @param {string} id of the quantity
 * @param {number[] | null} indices which of its numbers; null for all
 */
export function* checking(walk, id, indices = null) {
    const checked = quantityOf(walk, id);
    const probe = probeOf(walk.network, walk.x, walk.y);
    const { length } = indices ?? checked.values;
    const comparisons = [];
    for (let n = 0; n < length; n += 1) {
        comparisons.push(compareOne(walk, probe, checked, indices ? indices[n] : n));
        yield n + 1;
    }
    return verdict(comparisons);
}

/**
 * The numbers of a quantity to check if all are too much work: as many as `most` multiplications allow, evenly
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

/** @returns {Verdict} the result of the comparisons of `compareOne`; those at a kink are skipped */
export function verdict(comparisons) {
    const counted = comparisons.filter(({ kink }) => !kink);
    const squares = (numberOf) => counted.reduce((sum, each) => sum + numberOf(each) ** 2, 0);
    const off = squares(({ slope, numeric }) => slope - numeric);
    const isRounding = off <= squares(({ rounding }) => rounding);
    const error = off === 0 ? 0 : Math.sqrt(off / squares(({ numeric }) => numeric));
    const [count, kinks, isClose] = [comparisons.length, comparisons.length - counted.length, error <= TOLERANCE];
    return { count, kinks, error, ok: isClose || isRounding, tiny: !isClose && isRounding };
}

/** A button, a progress bar and a sentence. */
export class CheckAll {
    /** @param {(id: string, verdict: object) => void} onVerdict a quantity was checked as a whole */
    constructor(onVerdict) {
        Object.assign(this, { onVerdict, control: null });
        this.button = button("Check every number", () => (this.control ? this.cancel() : this.run()));
        this.bar = element("progress", { "aria-label": "How many numbers are checked", hidden: true });
        this.result = element("p", { class: "bp-result", role: "status" });
        const says = "Backpropagation computes the derivative of C by each number. Two nudges, a little up and a little down, measure it without any of the four equations.";
        this.root = element("section", { class: "bp-check" }, element("h2", {}, "Is it right?"), element("p", {}, says), element("div", { class: "row" }, this.button, this.bar), this.result);
    }

    /** Another walk: the checks of the last one are dropped. */
    open(walk) {
        this.walk = walk;
        this.cancel();
        this.result.textContent = "";
        this.result.className = "bp-result";
    }

    cancel() {
        this.control?.abort();
        this.control = null;
        this.button.textContent = "Check every number";
        this.bar.hidden = true;
    }

    async run() {
        const { walk } = this;
        const { signal } = (this.control = new AbortController());
        this.button.textContent = "Stop";
        this.bar.hidden = false;
        const made = stepsOf(walk).flatMap((step) => step.makes).map((id) => quantityOf(walk, id));
        const checked = made.filter(({ kind }) => canCheck(kind));
        const chosen = checked.map((part) => ({ part, indices: spread(walk, part.id) }));
        this.bar.max = chosen.reduce((sum, { part, indices }) => sum + (indices ?? part.values).length, 0);
        const checks = [];
        let before = 0;
        for (const { part, indices } of chosen) {
            const name = raised(part.text);
            this.result.textContent = `checking ${name} …`;
            const tell = (done) => (this.bar.value = before + done);
            const verdict = await inSlices(checking(walk, part.id, indices), tell, signal);
            before += verdict.count;
            checks.push({ ...verdict, part, name });
            this.onVerdict(part.id, { ...verdict, whole: true });
        }
        this.finish(checks);
    }

    finish(checks) {
        this.cancel();
        const kinks = checks.reduce((sum, each) => sum + each.kinks, 0);
        const left = kinks > 0 ? ` ${kinks.toLocaleString("en")} lie at a kink, where the derivative does not exist, and were skipped.` : "";
        const wrong = checks.filter(({ ok }) => !ok).map(({ name }) => name);
        const good = wrong.length === 0;
        const found = good
            ? `✓ ${checkedOf(checks)} parameters agree, and so do the errors, the slopes and the input.`
            : `✗ These differ: ${wrong.join(", ")}.`;
        const [worst] = checks.filter(({ tiny, error }) => !tiny && error > 0).sort((one, other) => other.error - one.error);
        const figure = worst ? ` Largest relative error: ${worst.error.toExponential(1).replace("-", "−")}, in ${worst.name}.` : "";
        this.result.textContent = `${found}${figure}${left}`;
        this.result.className = `bp-result ${good ? "bp-good" : "bp-bad"}`;
        announce(this.result.textContent);
    }
}

/** "All 101,770", or of a very large network "5,000, evenly spread, of 11,972,510". */
function checkedOf(checks) {
    const parts = checks.filter(({ part }) => part.kind === "gW" || part.kind === "gb");
    const [some, every] = [({ count }) => count, ({ part }) => part.values.length]
        .map((countOf) => parts.reduce((sum, each) => sum + countOf(each), 0).toLocaleString("en"));
    return some === every ? `All ${every}` : `${some}, evenly spread, of ${every}`;
}

/** A name such as "∂C/∂W^10" in plain text: "∂C/∂W¹⁰". */
function raised(text) {
    return text.replace(/\^(\d+)/g, (_, index) => [...index].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join(""));
}

/** Puts a verdict, or its placeholder, on a badge of that class; returns what `badgeOf` returns, or null. */
export function showBadge(node, name, verdict, before = "") {
    const badge = verdict ? badgeOf(verdict) : null;
    node.textContent = badge ? badge.text : before;
    node.className = badge ? `${name} ${badge.good ? "bp-good" : "bp-bad"}` : name;
    return badge;
}

/** The words of a badge, and whether they are good: never color alone. */
function badgeOf({ ok, tiny, error, kinks, count }) {
    const left = kinks > 0 ? `, ${kinks} at a kink skipped` : "";
    const all = count === 1 ? "" : `${count.toLocaleString("en")} `;
    const agree = count === 1 ? "agrees" : "agree";
    const size = `: relative error ${error.toExponential(1).replace("-", "−")}`;
    const found = !ok ? `✗ ${all}do not agree${size}` : `✓ ${all}${agree}${error === 0 ? " exactly" : tiny ? " as far as rounding shows" : size}`;
    return { good: ok, text: kinks === count ? "– at a kink: no derivative" : `${found}${left}` };
}
