// The whole way at a glance: every quantity small, what the current step reads and makes bright, the rest dimmed.

import { badgeOf } from "./backprop_sum_panel.js";
import { paintCells, pretty } from "./backprop_blocks.js";
import { quantityOf } from "./backprop_steps.js";
import { isInk, shownOf } from "./backprop_view.js";
import { element, roving, shown } from "./widgets.js";

const SIDE = 64; // pixels of a small picture
const SIDE_OF_MANY = 57; // where there are more than two layers

/** The quantities of a walk, a column for each place of the network: forward above, backward below. */
function columnsOf(walk) {
    const layers = walk.network.parts.map((_, at) => at + 1);
    return [
        { title: "input", above: ["x0"], below: ["gx0"] },
        ...layers.map((l) => ({
            title: `layer ${l - 1}`,
            above: [`W${l}`, `b${l}`, `z${l}`, `a${l}`],
            below: [`gW${l}`, `gb${l}`, `d${l}`],
        })),
        { title: "loss", above: [`t${walk.last}`, "C0"], below: [] },
    ];
}

/** Buttons that lead to the step of each quantity. */
export class WalkMap {
    /** @param {(id: string) => void} onOpen a quantity was asked for */
    constructor(walk, onOpen) {
        this.nodes = new Map();
        const lane = (ids, name) => element("div", { class: `bp-lane bp-${name}` }, ...ids.map((id) => this.node(walk, id, onOpen)));
        const columns = columnsOf(walk).map(({ title, above, below }) =>
            element("div", { class: "bp-column" }, element("h3", { class: "muted" }, title), lane(above, "above"), lane(below, "below")),
        );
        this.root = element("div", { class: "bp-map", role: "group", "aria-label": "Every quantity of the example" }, ...columns);
        roving(this.root, "button");
    }

    node(walk, id, onOpen) {
        const part = quantityOf(walk, id);
        const small = part.values.length === 1 ? element("span", { class: "bp-one" }) : element("canvas", { "aria-hidden": "true" });
        const mark = element("span", { class: "bp-mark" });
        const button = element("button", { type: "button", tabindex: "-1", onclick: () => onOpen(id) }, small, pretty(part.text), mark);
        this.nodes.set(id, { button, small, mark });
        return button;
    }

    /**
     * @param {object} walk
     * @param {import("./backprop_steps.js").Step} step the current one
     * @param {number[]} at the picked neurons
     * @param {Map<string, object>} verdicts of the checks that have run
     */
    update(walk, step, at, verdicts) {
        let stop = null;
        this.nodes.forEach(({ button, small, mark }, id) => {
            const part = quantityOf(walk, id);
            const isMade = step.makes.some((each) => each === id || each.replace("n", "") === id);
            const isRead = step.reads.includes(id);
            button.classList.toggle("bp-is-made", isMade);
            button.classList.toggle("bp-is-read", isRead);
            button.setAttribute("tabindex", "-1");
            stop = isMade && stop === null ? button : stop;
            this.paint(walk, id, part, small, at);
            const verdict = verdicts.get(id);
            const badge = verdict ? badgeOf(verdict) : null;
            mark.textContent = badge ? badge.text[0] : "";
            mark.className = badge ? `bp-mark ${badge.good ? "bp-good" : "bp-bad"}` : "bp-mark";
            const role = isMade ? ", made in this step" : isRead ? ", read in this step" : "";
            button.setAttribute("aria-label", `${part.text}, ${part.means}${role}${badge ? `. ${badge.text}` : ""}`);
            button.title = `${part.means}${badge ? `: ${badge.text}` : ""}`;
        });
        if (stop !== null && stop !== this.made) {
            this.made = stop; // where the map is wider than the page, what is made comes to its middle
            this.root.scrollLeft = stop.offsetLeft - this.root.offsetLeft - (this.root.clientWidth - stop.clientWidth) / 2;
        }
        (stop ?? this.nodes.values().next().value.button).setAttribute("tabindex", "0");
    }

    paint(walk, id, part, small, at) {
        if (part.values.length === 1) {
            small.textContent = shown(part.values[0]);
            return;
        }
        const view = shownOf(walk, id, at);
        const values = view.indices.map((index) => part.values[index]);
        const columns = part.kind === "x" || view.columns > 5 || part.kind.endsWith("W") ? view.columns : values.length > 5 ? 5 : 1;
        const rows = Math.ceil(values.length / columns);
        const size = Math.max(1, Math.floor((walk.last > 2 ? SIDE_OF_MANY : SIDE) / Math.max(columns, rows)));
        paintCells(small, { values, columns, ink: isInk(walk, part) }, size);
    }
}
