// A quantity on the page: its numbers in digits, or as colored cells, one of them picked.

import { button, color, diverging, element, farthest, keyGoal, mixed, rgb, shareOf, shown } from "../shared/widgets.js";

/** A name such as "w^0_5,12" with its indices raised and lowered. */
export function pretty(text) {
    const tags = { "^": "sup", _: "sub" };
    const parts = text.split(/([\^_][\p{L}\d,]+)/u).filter((part) => part !== "");
    return element("span", { class: "bp-name" },
        ...parts.map((part) => (part[0] in tags ? element(tags[part[0]], {}, part.slice(1)) : part)));
}

/** Paints cells of `size` pixels, those outside `focus` faint, a tick at the top of those above 0 and at the bottom of those below, a frame around the picked one. */
function paintCells(canvas, part, size, focus = null, picked = -1) {
    const density = size >= 8 ? Math.max(1, Math.round(window.devicePixelRatio || 1)) : 1;
    canvas.width = part.columns * size * density;
    canvas.height = Math.ceil(part.values.length / part.columns) * size * density;
    canvas.style.width = `${part.columns * size}px`;
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const scale = farthest(part.values);
    const corner = (n) => [(n % part.columns) * size, Math.floor(n / part.columns) * size];
    part.values.forEach((value, n) => {
        const [left, top] = corner(n);
        context.globalAlpha = focus === null || focus.has(n) ? 1 : 0.2;
        context.fillStyle = rgb(part.ink ? mixed(color("--pad"), color("--pad-ink"), Math.max(0, Math.min(1, value))) : diverging(value, scale));
        context.fillRect(left, top, size - (size >= 8 ? 1 : 0), size - (size >= 8 ? 1 : 0));
        if (size >= 10 && value !== 0 && !part.ink) {
            context.fillStyle = rgb(color("--ink"));
            context.fillRect(left + size / 2 - 2.5, value > 0 ? top + 1.5 : top + size - 4, 4, 1.5);
        }
    });
    context.globalAlpha = 1;
    if (picked >= 0) {
        for (const [name, width] of [["--paper", 4], ["--ink", 2]]) {
            context.strokeStyle = rgb(color(name));
            context.lineWidth = width;
            context.strokeRect(...corner(picked), size - 1, size - 1);
        }
    }
}

/**
 * @typedef {object} Part the content of a block
 * @property {string} text name of the quantity
 * @property {string} means
 * @property {ArrayLike<number>} values in the order shown
 * @property {number} columns
 * @property {boolean} numbers
 * @property {boolean} ink
 * @property {(n: number) => string} nameOf the name of one of them
 * @property {(n: number) => string} labelOf a short one beside its digits: a class, an index, or nothing
 */

/** One quantity: a figure with a caption, its cells, and room for a badge. */
export class Block {
    /** @param {boolean} made whether the step makes it */
    constructor(part, made, onPick) {
        Object.assign(this, { onPick, picked: -1 });
        this.badge = element("span", { class: "bp-badge" });
        this.caption = element("figcaption");
        this.cells = part.numbers ? this.numberCells(part) : this.colorCells(part);
        this.cells.addEventListener("keydown", (event) => this.move(event));
        this.root = element("figure", { class: made ? "bp-block bp-made" : "bp-block" }, this.caption, this.cells, this.badge);
    }

    numberCells(part) {
        this.buttons = Array.from(part.values, (_, n) => button("", () => this.onPick(n), { tabindex: "-1" }));
        const cells = element("div", { class: "bp-numbers", role: "group" }, ...this.buttons);
        cells.style.gridTemplateColumns = `repeat(${part.columns}, minmax(58px, 1fr))`;
        return cells;
    }

    colorCells(part) {
        this.size = Math.max(2, Math.min(16, Math.floor(176 / part.columns)));
        const canvas = element("canvas", { class: "bp-cells", tabindex: "0", role: "application" });
        canvas.addEventListener("click", (event) => this.under(event) !== null && this.onPick(this.under(event)));
        canvas.addEventListener("pointermove", (event) => {
            const n = this.under(event);
            canvas.title = n === null ? "" : `${this.part.nameOf(n)} = ${shown(this.part.values[n])}`;
        });
        return canvas;
    }

    /** Which number the pointer is on, or null. */
    under(event) {
        const { columns, values } = this.part;
        const [column, row] = shareOf(this.cells, event).map((share, axis) => Math.floor(share * [columns, Math.ceil(values.length / columns)][axis]));
        return row * columns + column in values ? row * columns + column : null;
    }

    move(event) {
        const goal = keyGoal(event.key, this.picked, this.part.values.length, this.part.columns);
        if (goal !== undefined && goal >= 0 && goal < this.part.values.length) {
            event.preventDefault();
            this.onPick(goal);
            this.buttons?.[goal].focus();
        }
    }

    /**
     * @param {number} picked index among those shown, -1 for none
     * @param {Set<number> | null} focus those that the picked sum is made of; null for all
     * @param {boolean} current whether the sum beside is about the picked one
     */
    update(part, picked, focus, current) {
        Object.assign(this, { part, picked });
        this.root.classList.toggle("bp-unread", focus !== null && focus.size === 0);
        this.caption.replaceChildren(pretty(part.text), ` ${part.means}`);
        const value = picked >= 0 ? `, ${part.nameOf(picked)} is ${shown(part.values[picked])}` : "";
        this.cells.setAttribute("aria-label", `${part.text}, ${part.means}${value}. Arrow keys pick a number.`);
        if (!part.numbers) {
            paintCells(this.cells, part, this.size, focus, picked);
            return;
        }
        const scale = farthest(part.values);
        this.buttons.forEach((button, n) => {
            const share = scale > 0 ? Math.abs(part.values[n]) / scale : 0;
            button.textContent = shown(part.values[n]);
            button.title = part.nameOf(n);
            button.setAttribute("aria-label", `${part.nameOf(n)} = ${shown(part.values[n])}`);
            button.setAttribute("tabindex", n === Math.max(0, picked) ? "0" : "-1");
            button.setAttribute("aria-pressed", String(current && n === picked));
            button.classList.toggle("bp-picked", n === picked);
            button.classList.toggle("bp-faint", focus !== null && !focus.has(n));
            button.dataset.label = part.labelOf(n);
            button.style.setProperty("--bar", part.values[n] < 0 ? "var(--negative)" : "var(--positive)");
            button.style.setProperty("--share", `${Math.round(100 * share)}%`);
        });
    }
}
