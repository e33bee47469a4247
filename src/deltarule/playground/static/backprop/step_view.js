// One step of Backprop: its equation, its operands and what it makes.

import { element, shown } from "../shared/widgets.js";
import { Block, pretty } from "./blocks.js";
import { canCheck, showBadge } from "./check.js";
import { EQUATIONS, SYMBOLS } from "./equations.js";
import { cellText, isInk, isMatrix, labelOf, pickedIndex, quantityOf, viewOf } from "./steps.js";
import { sumOf } from "./sums.js";

/** HTML of the registry, which a script writes and nobody else: formulas and proofs. */
function written(tag, text, properties = {}) {
    const node = element(tag, properties);
    node.innerHTML = text;
    return node;
}

/** One step on the page. */
export class StepView {
    /** @param {(id: string, index: number) => void} onPick a number was picked */
    constructor(onPick) {
        this.onPick = onPick;
        this.title = element("h2");
        this.says = element("p");
        this.equation = element("div", { class: "bp-equation" });
        this.outcome = element("p", { class: "bp-outcome" });
        this.blocks = element("div", { class: "bp-blocks" });
        this.more = element("details", { class: "bp-more" });
        this.root = element("div", { class: "bp-desk" },
            element("div", { class: "bp-stage" }, this.title, this.equation, this.says, this.outcome, this.more), this.blocks);
    }

    /** Makes room for a step of a walk: blocks of the right kind, still to be filled by `update`. */
    open(walk, step, at) {
        const equation = EQUATIONS[step.equation];
        this.title.replaceChildren(element("span", { class: "bp-group" }, step.group), ` ${step.title}`);
        this.says.textContent = equation.says;
        this.equation.replaceChildren(written("div", equation.mathml));
        this.explain(equation);
        const views = viewOf(walk, step, at);
        this.shown = views.map((view, which) =>
            new Block(this.part(walk, view), view.made, (n) => this.onPick(view.id, this.views[which].indices[n])));
        this.blocks.replaceChildren(...views.map(({ sign }, n) => {
            const { root } = this.shown[n];
            const before = element("span", { class: "bp-sign", "aria-hidden": "true" }, sign);
            return sign === "" ? root : element("div", { class: "bp-pair" }, before, root);
        }));
    }

    part(walk, { id, indices, columns, numbers }) {
        const whole = quantityOf(walk, id);
        const isSlice = indices.length < whole.values.length;
        return {
            text: whole.text,
            means: isSlice ? `${whole.means}, ${indices.length} of ${whole.values.length.toLocaleString("en")}` : whole.means,
            values: indices.map((index) => whole.values[index]),
            columns, numbers, ink: isInk(walk, whole),
            nameOf: (n) => cellText(walk, whole, indices[n]),
            labelOf: (n) => (isMatrix(whole.kind) && !isSlice ? "" : labelOf(walk, whole, indices[n])),
        };
    }

    explain(equation) {
        const rows = equation.symbols.map((name) => SYMBOLS[name]).map(([mathml, means, code]) =>
            element("tr", {}, written("th", mathml, { scope: "row" }),
                element("td", {}, means), element("td", {}, element("code", {}, code))));
        this.more.replaceChildren(
            element("summary", {}, "Symbols, code and proof"),
            element("p", { class: "muted" }, "One example alone: its share s is 1, and its index i is left out of names such as ", pretty("w^0_5,12"), ", the weight of layer 0 to neuron 5 from input 12."),
            element("table", {}, element("tbody", {}, ...rows)),
            element("pre", { tabindex: "0" }, element("code", {}, equation.code)),
            written("div", equation.proof, { class: "bp-proof" }),
        );
    }

    /**
     * @param {number[]} at the picked neurons
     * @param {{id: string, index: number}} cell the number that the panel explains
     */
    update(walk, step, at, cell, verdicts) {
        this.views = viewOf(walk, step, at);
        const operands = new Map();
        sumOf(walk, cell.id, cell.index).terms.forEach((term) => {
            term.cells.forEach(([id, index]) => operands.set(id, (operands.get(id) ?? new Set()).add(index)));
        });
        const isMade = step.makes.includes(cell.id);
        this.views.forEach((view, n) => {
            const picked = view.indices.indexOf(pickedIndex(walk, quantityOf(walk, view.id), at));
            const block = this.shown[n];
            const focus = view.made || !isMade ? null : focusOf(view, operands.get(view.id), step, picked);
            block.update(this.part(walk, view), picked, focus, view.id === cell.id);
            const { kind } = quantityOf(walk, view.id);
            const badge = showBadge(block.badge, "bp-badge", verdicts.get(view.id), view.made && canCheck(kind) ? "checking …" : "");
            block.badge.prepend(kind === "a" && badge ? "slopes σ′: " : "");
        });
        this.outcome.textContent = step.group === "update" ? `After one step of all layers with r = ${walk.rate}, ` +
            `C goes from ${shown(walk.loss, 6)} to ${shown(walk.lossAfter(), 6)}.` : "";
    }
}

/** Which of the numbers shown the picked sum reads; of the z that sigma' is taken at, the picked one. */
function focusOf(view, indices, step, picked) {
    if (indices === undefined) {
        return step.group === "BP2" || step.group === "BP1" ? new Set([picked]) : new Set();
    }
    return new Set(view.indices.flatMap((index, n) => (indices.has(index) ? [n] : [])));
}
