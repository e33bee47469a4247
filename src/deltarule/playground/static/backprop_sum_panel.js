// The number that is picked, as the sum it is: its terms, the total, and what two nudges say of it.

import { compareOne, verdict } from "./backprop_check.js";
import { cellText, quantityOf } from "./backprop_steps.js";
import { sumOf } from "./backprop_sums.js";
import { placeOf } from "./backprop_view.js";
import { pretty } from "./backprop_blocks.js";
import { probeOf } from "./engine/nudges.js";
import { button, element, shown, tableRow } from "./widgets.js";

const FEW = 10; // terms that are shown at once

/** A number with `count` significant digits and a real minus sign. */
export function digits(value, count = 6) {
    const size = Math.abs(value);
    const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(count - 1) : String(Number(value.toPrecision(count)));
    return text.replace(/-/g, "−");
}

/** The words of a badge, and whether they are good: never color alone. */
export function badgeOf({ ok, tiny, error, kinks, count }) {
    const left = kinks > 0 ? `, ${kinks} at a kink left out` : "";
    const all = count === 1 ? "" : `${count.toLocaleString("en")} `;
    const agree = count === 1 ? "agrees" : "agree";
    if (kinks === count) {
        return { good: true, text: "– at a kink: no derivative" };
    }
    if (error === 0 && ok) {
        return { good: true, text: `✓ ${all}${agree} exactly${left}` };
    }
    if (tiny) {
        return { good: true, text: `✓ ${all}${agree} as far as rounding shows${left}` };
    }
    return { good: ok, text: `${ok ? `✓ ${all}${agree}` : `✗ ${all}do not agree`}: relative error ${error.toExponential(1).replace("-", "−")}${left}` };
}

function pair(title, value) {
    return [element("dt", {}, title), element("dd", {}, digits(value, 9))];
}

/** An aside that explains one number at a time. */
export class SumPanel {
    /**
     * @param {(id: string, index: number) => void} onPick a term's cell was asked for
     * @param {(id: string, index: number, value: number) => void} onChange a given number was changed by hand
     */
    constructor(onPick, onChange) {
        Object.assign(this, { onPick, onChange, all: false });
        this.root = element("aside", { class: "bp-sum", "aria-label": "The number that is picked" });
    }

    /** Shows the number at `index` of the quantity `id`; `free` where numbers that are given may be changed. */
    show(walk, id, index, free) {
        const part = quantityOf(walk, id);
        const sum = sumOf(walk, id, index);
        Object.assign(this.root.dataset, { quantity: id, index });
        const name = element("h3", {}, pretty(sum.text), ` = ${digits(sum.value)}`);
        const place = element("p", { class: "muted" }, placeOf(walk, part, index), sum.says === "" ? "" : `. ${sum.says}`);
        const table = sum.terms.length > 0 ? this.table(walk, sum, () => this.show(walk, id, index, free)) : null;
        const canChange = free && sum.terms.length === 0 && part.kind !== "t";
        const change = canChange ? this.change(id, index, sum) : null;
        const inside = element("div", { class: "bp-sum-inside" }, name, place, change, table, this.numeric(walk, part, index));
        const hadFocus = this.root.contains(document.activeElement) && document.activeElement.dataset.keep;
        this.root.replaceChildren(inside);
        this.root.querySelector(hadFocus ? `[data-keep="${hadFocus}"]` : "none")?.focus();
    }

    change(id, index, sum) {
        const change = (event) => {
            const value = Number(event.target.value);
            if (event.target.value !== "" && Number.isFinite(value)) {
                this.onChange(id, index, Math.max(-100, Math.min(100, value)));
            }
        };
        const input = element("input", { type: "number", step: "0.1", min: "-100", max: "100", value: String(sum.value), "data-keep": "change", onchange: change });
        return element("label", { class: "row bp-change" }, "Change it ", input);
    }

    table(walk, sum, again) {
        const terms = this.all ? sum.terms : sum.terms.slice(0, FEW);
        const rest = sum.terms.slice(terms.length);
        const largest = Math.abs(sum.terms[0].value);
        const rows = terms.map((term) => this.row(term, largest));
        if (sum.terms.length > FEW) {
            rows.push(this.foldRow(rest, again));
        }
        const body = element("tbody", {}, ...rows);
        const head = ["term", "numbers", "value"].map((title) => element("th", { scope: "col" }, title));
        const count = sum.terms.length;
        const caption = element("caption", {}, count === 1 ? "One term" : `A sum of ${count} terms, largest first`);
        return element("table", {}, caption, element("thead", {}, element("tr", {}, ...head)), body, this.foot(sum));
    }

    row(term, largest) {
        const numbers = term.factors.map((factor) => shown(factor.value)).join(" × ");
        const bar = element("span", { class: term.value < 0 ? "bp-bar bp-below" : "bp-bar" });
        bar.style.width = `${largest > 0 ? (100 * Math.abs(term.value)) / largest : 0}%`;
        const [id, index] = term.cells[0];
        const names = term.factors.flatMap((factor, n) => (n === 0 ? [pretty(factor.text)] : [" ", pretty(factor.text)]));
        const link = element("button", { type: "button", class: "bp-term", onclick: () => this.onPick(id, index), "aria-label": `${term.text}: show where it comes from` }, ...names);
        return tableRow(link, numbers, [shown(term.value), bar]);
    }

    /** The row that shows all terms, or folds them again. */
    foldRow(rest, again) {
        const turn = () => {
            this.all = rest.length > 0;
            again();
        };
        const link = button(rest.length > 0 ? `and ${rest.length} more` : "only the largest", turn, { class: "bp-term", "data-keep": "all" });
        const total = rest.length > 0 ? ["together", digits(rest.reduce((sum, term) => sum + term.value, 0), 4)] : ["", ""];
        return tableRow(link, ...total);
    }

    foot(sum) {
        const inAll = tableRow(pretty(sum.text), "in all", digits(sum.value));
        if (sum.outer === null) {
            return element("tfoot", {}, inAll);
        }
        const total = sum.terms.reduce((so, term) => so + term.value, 0);
        const how = sum.outer.how === "times" ? "× the sum" : "÷ the sum";
        const outer = tableRow(element("span", {}, pretty(sum.outer.text)), how, digits(sum.outer.value));
        return element("tfoot", {}, tableRow("the sum", "", digits(total)), outer, inAll);
    }

    numeric(walk, part, index) {
        const both = compareOne(walk, probeOf(walk.network, walk.x, walk.y), part, index);
        if (both === null) {
            return null;
        }
        const what = part.kind === "a" ? `its slope σ′` : cellText(walk, part, index);
        const badge = badgeOf(verdict([both]));
        return element(
            "div",
            { class: "bp-numeric" },
            element("p", {}, "Two ways to ", pretty(what)),
            element("dl", {}, ...pair("backpropagation", both.slope), ...pair("two nudges", both.numeric)),
            element("p", { class: badge.good ? "bp-badge bp-good" : "bp-badge bp-bad" }, badge.text),
        );
    }
}
