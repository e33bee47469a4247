// Mistakes: which classes are confused, the images of each pair, and what would change the answer.

import {
    announce, button, color, element, inkPicture, mixed, percent, repaintOn, rgb, roving, tableHead, tableRow,
} from "../shared/widgets.js";
import { nameOf, valueText, wordFor } from "../stage/answers.js";
import { Nudging } from "./nudging.js";

/** "7 images", "1 image". */
const counted = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

class Mistakes {
    constructor(panel, store, examples) {
        Object.assign(this, { store, source: examples, network: null, asked: 0 });
        this.summary = element("p", {});
        this.matrix = element("div", { class: "matrix" });
        this.title = element("h2", { tabindex: "-1" });
        this.about = element("p", { class: "small muted" });
        this.gallery = element("ul", { class: "gallery", "aria-label": "Examples" });
        this.images = element("div", {}, this.title, this.about, this.gallery);
        this.nudging = new Nudging(panel, store);
        panel.replaceChildren(this.summary, element("div", { class: "mistaken" },
            this.matrix, this.images, this.nudging.node));
        repaintOn(store, panel, ["network", "tab"], () => this.look());
        this.oneStop = roving(this.gallery, "button.shown", () => Math.max(1, Math.round(this.gallery.clientWidth / 76)));
        window.addEventListener("themechange", () => (this.network = null));
    }

    /** Counts the mistakes of the network that the page looks at, unless that was done. */
    async look() {
        const { network } = this.store;
        if (!network || network === this.network) {
            return;
        }
        this.network = network;
        this.title.textContent = `The ${wordFor(network)}s behind a number`;
        this.about.textContent = `Choose a number: its ${wordFor(network)}s come here.`;
        this.gallery.replaceChildren();
        this.summary.textContent = "Counting …";
        try {
            const found = await this.source.mistakes();
            this.images.hidden = false;
            if (network === this.network) {
                this.show(found);
            }
        } catch (error) {
            this.matrix.replaceChildren();
            this.images.hidden = true;
            this.summary.textContent = `There are no mistakes to show: ${error.message}`;
        }
    }

    show({ count, right, data, confusion, classNames }) {
        const pairs = confusion.flatMap((row, one) => row.map((times, other) => ({ times, one, other })))
            .filter(({ times, one, other }) => one !== other && times > 0).sort((a, b) => b.times - a.times).slice(0, 3);
        const most = pairs.map(({ times, one, other }) => `${classNames[one]} for ${classNames[other]} (${times})`).join(", ");
        this.summary.textContent = `Of ${counted(count, "example")} of ${data}, the network reads ${right.toLocaleString("en")} rightly, ` +
            `${percent(right / count)}.${most ? ` Most often it takes ${most}.` : ""}` +
            (this.network.was && this.source.of ? " These counts are of the network before your changes." : "");
        this.build(confusion, classNames);
    }

    /** Builds the matrix: how often each class was taken for each. */
    build(confusion, classNames) {
        const sums = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
        const worst = Math.max(1e-9, ...confusion.flatMap((row, right) =>
            row.map((count, predicted) => (right === predicted ? 0 : count / Math.max(1, sums[right])))));
        const rows = confusion.map((row, right) => tableRow(classNames[right], ...row.map((count, predicted) => {
            const share = count / Math.max(1, sums[right]);
            return this.cell(count, classNames, right, predicted, right === predicted ? share : share / worst);
        })));
        const table = element("table", {},
            element("caption", {}, `Each row is the true class of an ${wordFor(this.network)}, each column the predicted class.`),
            tableHead(element("span", { class: "unseen" }, "It is"), ...classNames), element("tbody", {}, ...rows));
        this.matrix.replaceChildren(table);
        roving(table, "button", () => classNames.length)();
    }

    cell(count, classNames, right, predicted, share) {
        const isRight = right === predicted;
        const what = isRight ? `${classNames[right]} read correctly` : `${classNames[right]} taken for ${classNames[predicted]}`;
        const cell = button(count === 0 ? "·" : String(count), () => {
            this.matrix.querySelector("[aria-pressed=true]")?.setAttribute("aria-pressed", "false");
            cell.setAttribute("aria-pressed", "true");
            this.open(right, predicted);
        }, {
            "aria-label": `${what}: ${counted(count, wordFor(this.network))}`, "aria-pressed": "false",
            class: isRight ? "right" : count > 0 ? "wrong" : "none",
        });
        const strength = count === 0 ? 0 : isRight ? 0.16 * share : 0.12 + 0.33 * share;
        const hue = color(isRight ? "--positive" : "--negative");
        cell.style.backgroundColor = rgb(mixed(color("--paper"), hue, strength));
        return cell;
    }

    /** Fetches the images of a cell. */
    async open(right, predicted) {
        this.asked += 1;
        const { asked, network } = this;
        const [one, other] = [nameOf(network, right), nameOf(network, predicted)];
        const { count, examples } = await this.source.cell(right, predicted).catch((error) => {
            this.about.textContent = error.message;
            return { examples: null };
        });
        if (asked !== this.asked || examples === null) {
            return;
        }
        this.title.textContent = right === predicted ? `${one}, read correctly` : `${one} taken for ${other}`;
        const order = right === predicted ? "the least sure first" : "the surest first";
        const some = examples.length < count ? `; ${examples.length} shown` : "";
        this.about.textContent = count === 0 ? "None." :
            `${counted(count, wordFor(network))}, ${order}${some}. An ${wordFor(network)} opens in Backprop; “why?” shows what would change the answer.`;
        this.gallery.replaceChildren(...examples.map((example) => this.item(example)));
        this.oneStop();
        announce(`${this.title.textContent}: ${this.about.textContent}`);
    }

    item(example) {
        const { network } = this;
        const { index, label, predicted, probability, x, pixels } = example;
        const sure = valueText(network, probability);
        const what = `example ${index}, a ${nameOf(network, label)} read as ${nameOf(network, predicted)}, ${sure}`;
        const [height, width] = (pixels && network.imageShape) || [];
        const face = height ? inkPicture(x, width, height, { "aria-hidden": "true" }) : `example ${index}`;
        const taking = (act) => () => {
            this.store.takeExample(example);
            act();
        };
        const open = taking(() => this.store.set({ tab: "backprop" }));
        const why = taking(() => this.nudging.node.scrollIntoView({ block: "nearest" }));
        return element("li", {},
            button(face, open, { class: "shown", "aria-label": `Open in Backprop: ${what}` }),
            element("span", { class: "small" }, sure),
            button("why?", why, { class: "quiet why", "aria-label": `What would change its mind about ${what}` }));
    }
}

/** Mounts the tab into its panel; an exported page without `examples` hides it. */
export const mount = (panel, store, examples) => new Mistakes(panel, store, examples);
