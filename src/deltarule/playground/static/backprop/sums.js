// Every number of a walk as the sum it is: its terms, largest first; and the panel that shows the sum of the one picked.

import { isElementwise, sentBack } from "../engine/network.js";
import { probeOf } from "../engine/nudges.js";
import { button, element, numberField, shown, tableHead, tableRow } from "../shared/widgets.js";
import { pretty } from "./blocks.js";
import { compareOne, showBadge, verdict } from "./check.js";
import { cellText, inputId, placeOf, quantityOf, range, slopeAt } from "./steps.js";

/**
 * @typedef {object} Term
 * @property {string} text "w^0_5,12 a_12"
 * @property {{text: string, value: number}[]} factors
 * @property {number} value their product
 * @property {[string, number][]} cells the numbers it is made of: id of a quantity and index
 */
/**
 * @typedef {object} Sum
 * @property {string} text the name of the number
 * @property {number} value
 * @property {Term[]} terms largest first; none for a number that is given and not computed
 * @property {{text: string, value: number, how: "times" | "divided by"} | null} outer the last operation on the sum:
 *     value = outer * sum, or outer / sum
 * @property {string} says where the number comes from, in words
 */

/** @returns {Sum} the number at `index` of the quantity `id` */
export function sumOf(walk, id, index) {
    const made = quantityOf(walk, id);
    const sum = SUMS[made.kind](walk, made.l, index);
    sum.terms.forEach((each) => {
        each.value = each.factors.reduce((product, factor) => product * factor.value, 1);
        each.text = each.factors.map((factor) => factor.text).join(" ");
    });
    const terms = sum.terms.sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
    return { text: cellText(walk, made, index), value: made.values[index], outer: null, says: "", ...sum, terms };
}

function term(walk, cells, more = []) {
    const factors = cells.map(([id, index]) => {
        const part = quantityOf(walk, id);
        return { text: cellText(walk, part, index), value: part.values[index] };
    });
    return { factors: [...more, ...factors], cells };
}

const given = (says) => () => ({ terms: [], says });
const sizeOf = (walk, l) => walk.network.sizes[l];

const SUMS = {
    x: given("It is an input: a pixel goes from 0, no ink, to 1."),
    t: given("It is the target that the label sets for this output."),
    W: given("It is learned: the update changes it."),
    b: given("It is learned: the update changes it."),
    z: (walk, l, j) => {
        const inputs = range(sizeOf(walk, l - 1));
        const products = inputs.map((k) => term(walk, [[`W${l}`, k * sizeOf(walk, l) + j], [inputId(l), k]]));
        return { terms: [...products, term(walk, [[`b${l}`, j]])] };
    },
    a: activation,
    C: loss,
    g: (walk, l, j) => ({
        terms: [{ factors: [{ text: `∂C/∂a_${j}`, value: walk.g[j] }], cells: [[`a${l}`, j], [`t${l}`, j]] }],
        says: "The derivative of the loss by this output.",
    }),
    d: error,
    gb: (walk, l, j) => ({ terms: [term(walk, [[`d${l}`, j]])] }),
    gW: (walk, l, index) => {
        const count = sizeOf(walk, l);
        return { terms: [term(walk, [[inputId(l), Math.floor(index / count)], [`d${l}`, index % count]])] };
    },
    gx: (walk, l, k) => ({
        terms: range(sizeOf(walk, 1)).map((j) => term(walk, [["W1", k * sizeOf(walk, 1) + j], ["d1", j]])),
    }),
    nW: (walk, l, index) => moved(walk, `W${l}`, `gW${l}`, index),
    nb: (walk, l, index) => moved(walk, `b${l}`, `gb${l}`, index),
};

function moved(walk, old, slopes, index) {
    return { terms: [term(walk, [[old, index]]), term(walk, [[slopes, index]], [{ text: "−r", value: -walk.rate }])] };
}

/** a = sigma(z): one number for an elementwise activation, e^z over a sum of e^z for a softmax. */
function activation(walk, l, j) {
    const part = walk.network.parts[l - 1];
    const { z, a } = walk.trace;
    if (isElementwise(part)) {
        const factors = [{ text: `σ(z^${l - 1}_${j})`, value: a[l][j] }];
        return { terms: [{ factors, cells: [[`z${l}`, j]] }], says: `σ is ${part.name}, and z^${l - 1}_${j} = ${z[l][j]}.` };
    }
    const largest = z[l].reduce((most, each) => Math.max(most, each), -Infinity);
    const e = (k) => ({ text: `e^(z_${k} − m)`, value: Math.exp(z[l][k] - largest) });
    return {
        terms: range(z[l].length).map((k) => ({ factors: [e(k)], cells: [[`z${l}`, k]] })),
        outer: { ...e(j), how: "divided by" },
        says: "A softmax divides e^z of this output by the sum over all; m, the largest z, cancels and keeps the numbers small.",
    };
}

/** The loss of each output. */
function loss(walk) {
    const l = walk.last;
    const [says, cost] = COSTS[walk.network.loss];
    const terms = [...walk.trace.a[l]].map((a, j) => ({
        factors: [{ text: `C(a_${j}, t_${j})`, value: cost(a, walk.t[j]) }], cells: [[`a${l}`, j], [`t${l}`, j]],
    }));
    return { terms, says };
}

const log = (a) => Math.log(Math.max(a, 2 ** -1022)); // of a probability that underflowed: finite
export const COSTS = {
    cross_entropy: ["The loss of an output is −t ln a: 0 if t is 0.", (a, t) => -t * log(a)],
    binary_cross_entropy: ["The loss of an output is −t ln a − (1 − t) ln(1 − a).", (a, t) => -t * log(a) - (1 - t) * log(1 - a)],
    quadratic: ["The loss of an output is half of (a − t) squared.", (a, t) => 0.5 * (a - t) ** 2],
    poisson: ["The loss of an output is t ln(t / a) − t + a: just a if t is 0.", (a, t) => (t > 0 ? t * (Math.log(t) - log(a)) : 0) - t + a],
};

/** delta: BP1 for the outputs, BP2 for the others. */
function error(walk, l, j) {
    const isLast = l === walk.last;
    if (isLast && walk.shortcut) {
        return { terms: [term(walk, [[`a${l}`, j]]), term(walk, [[`t${l}`, j]], [{ text: "−1", value: -1 }])] };
    }
    if (!isElementwise(walk.network.parts[l - 1])) {
        return throughJacobian(walk, l, j, isLast ? walk.g : sentBack(walk.network, l + 1, walk.gradient.delta[l + 1]));
    }
    const outer = { text: `σ′(z^${l - 1}_${j})`, value: slopeAt(walk, l, j), how: "times" };
    if (isLast) {
        return { terms: [term(walk, [[`g${l}`, j]])], outer };
    }
    const count = sizeOf(walk, l + 1);
    return { terms: range(count).map((k) => term(walk, [[`W${l + 1}`, j * count + k], [`d${l + 1}`, k]])), outer };
}

function throughJacobian(walk, l, j, gradient) {
    const a = walk.trace.a[l];
    const terms = range(a.length).map((k) => {
        const slope = { text: `∂a_${k}/∂z_${j}`, value: a[k] * ((k === j ? 1 : 0) - a[j]) };
        return { factors: [{ text: `∂C/∂a_${k}`, value: gradient[k] }, slope], cells: [[`a${l}`, k]] };
    });
    return { terms, says: "Every output of a softmax depends on every z, so the slopes are a matrix." };
}

const FEW = 6; // terms that are shown at once

/** An aside that explains one number at a time. */
export class SumPanel {
    /**
     * @param {(id: string, index: number) => void} onPick a term's cell was asked for
     * @param {(id: string, index: number, value: number) => void} onChange a given number was changed by hand
     */
    constructor(onPick, onChange) {
        Object.assign(this, { onPick, onChange, all: false });
        this.root = element("aside", { class: "bp-sum", "aria-label": "The picked number" });
    }

    /** Shows the number at `index` of the quantity `id`; `free`: given numbers may be changed. */
    show(walk, id, index, free) {
        const part = quantityOf(walk, id);
        const sum = sumOf(walk, id, index);
        Object.assign(this.root.dataset, { quantity: id, index });
        const name = element("h3", {}, pretty(sum.text), ` = ${shown(sum.value, 6)}`);
        const place = element("p", { class: "muted" }, placeOf(walk, part, index), sum.says === "" ? "" : `. ${sum.says}`);
        const table = sum.terms.length > 0 ? this.table(walk, sum, () => this.show(walk, id, index, free)) : null;
        const change = free && sum.terms.length === 0 && part.kind !== "t" ? this.change(id, index, sum) : null;
        const inside = element("div", { class: "bp-sum-inside" }, name, place, change, this.numeric(walk, part, index), table);
        const hadFocus = this.root.contains(document.activeElement) && document.activeElement.dataset.keep;
        this.root.replaceChildren(inside);
        this.root.querySelector(hadFocus ? `[data-keep="${hadFocus}"]` : "none")?.focus();
    }

    change(id, index, sum) {
        const change = (value) => this.onChange(id, index, Math.max(-100, Math.min(100, value)));
        const input = numberField(change, { step: "0.1", min: "-100", max: "100", value: String(sum.value), "data-keep": "change" });
        return element("label", { class: "row bp-change" }, "Change it ", input);
    }

    table(walk, sum, again) {
        const terms = this.all ? sum.terms : sum.terms.slice(0, FEW);
        const count = sum.terms.length;
        const rows = terms.map((term) => this.row(term, Math.abs(sum.terms[0].value)));
        const fold = count > FEW ? [this.foldRow(sum.terms.slice(terms.length), again)] : [];
        const caption = element("caption", {}, count === 1 ? "One term" : `A sum of ${count} terms, largest first`);
        return element("table", {}, caption, tableHead("term", "numbers", "value"), element("tbody", {}, ...rows, ...fold), this.foot(sum));
    }

    row(term, largest) {
        const bar = element("span", { class: term.value < 0 ? "bp-bar bp-below" : "bp-bar" });
        bar.style.width = `${largest > 0 ? (100 * Math.abs(term.value)) / largest : 0}%`;
        const [id, index] = term.cells[0];
        const names = term.factors.flatMap((factor, n) => (n === 0 ? [pretty(factor.text)] : [" ", pretty(factor.text)]));
        const link = element("button", { type: "button", class: "bp-term", onclick: () => this.onPick(id, index), "aria-label": `${term.text}: show where it comes from` }, ...names);
        return tableRow(link, term.factors.map((factor) => shown(factor.value)).join(" × "), [shown(term.value), bar]);
    }

    /** The row that shows all terms, or folds them again. */
    foldRow(rest, again) {
        const turn = () => {
            this.all = rest.length > 0;
            again();
        };
        const link = button(rest.length > 0 ? `and ${rest.length} more` : "only the largest", turn, { class: "bp-term", "data-keep": "all" });
        const total = rest.length > 0 ? ["together", shown(rest.reduce((sum, term) => sum + term.value, 0), 4)] : ["", ""];
        return tableRow(link, ...total);
    }

    foot(sum) {
        const inAll = tableRow(pretty(sum.text), "in all", shown(sum.value, 6));
        if (sum.outer === null) {
            return element("tfoot", {}, inAll);
        }
        const total = sum.terms.reduce((so, term) => so + term.value, 0);
        const outer = tableRow(pretty(sum.outer.text), `${sum.outer.how === "times" ? "×" : "÷"} the sum`, shown(sum.outer.value, 6));
        return element("tfoot", {}, tableRow("the sum", "", shown(total, 6)), outer, inAll);
    }

    numeric(walk, part, index) {
        const both = compareOne(walk, probeOf(walk.network, walk.x, walk.y), part, index);
        if (both === null) {
            return null;
        }
        const badge = element("p");
        showBadge(badge, "bp-badge", verdict([both]));
        const pair = (title, value) => [element("dt", {}, title), element("dd", {}, shown(value, 9))];
        return element("div", { class: "bp-numeric" },
            element("p", {}, "Two ways to ", pretty(part.kind === "a" ? "its slope σ′" : cellText(walk, part, index))),
            element("dl", {}, ...pair("backpropagation", both.slope), ...pair("two nudges", both.numeric)), badge);
    }
}
