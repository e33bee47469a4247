// "Check every number": all parameters, all errors and the input, in slices, with progress and a final figure.

import { canCheck, checking, spread } from "./backprop_check.js";
import { quantityOf, stepsOf } from "./backprop_steps.js";
import { announce, button, element, inSlices } from "./widgets.js";

const ALIKE = /^nb|^nW([2-9]|\d\d)/; // one descent of all layers: it is checked once

/** A button, a progress bar and a sentence. */
export class CheckAll {
    /** @param {(id: string, verdict: object) => void} onVerdict a quantity was checked as a whole */
    constructor(onVerdict) {
        this.onVerdict = onVerdict;
        this.button = button("Check every number", () => (this.control ? this.cancel() : this.run()));
        this.bar = element("progress", { "aria-label": "How many numbers are checked", hidden: true });
        this.result = element("p", { class: "bp-result", role: "status" });
        this.control = null;
        const says = "Backpropagation says how C answers to each number. Two nudges, a little up and a little down, say it without any of the four equations.";
        this.root = element("section", { class: "bp-check" }, element("h2", {}, "Is it right?"), element("p", {}, says), element("div", { class: "row" }, this.button, this.bar), this.result);
    }

    /** Another walk: what ran for the last one is of no use. */
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
        const control = new AbortController();
        this.control = control;
        this.button.textContent = "Stop";
        this.bar.hidden = false;
        const ids = stepsOf(walk).flatMap((step) => step.makes).filter((id) => canCheck(quantityOf(walk, id).kind) && !ALIKE.test(id));
        const all = { checked: 0, parameters: 0, kinks: 0, error: 0, worst: "", wrong: [] };
        const chosen = new Map(ids.map((id) => [id, spread(walk, id)]));
        const total = ids.reduce((sum, id) => sum + (chosen.get(id) ?? quantityOf(walk, id).values).length, 0);
        this.bar.max = total;
        let before = 0;
        for (const id of ids) {
            const part = quantityOf(walk, id);
            this.result.textContent = `checking ${raised(part.text)} …`;
            const progress = (done) => {
                this.bar.value = before + done;
            };
            const verdict = await inSlices(checking(walk, id, chosen.get(id)), progress, control.signal);
            before += (chosen.get(id) ?? part.values).length;
            note(all, part, verdict);
            this.onVerdict(id, { ...verdict, whole: true });
        }
        this.finish(all);
    }

    finish(all) {
        this.cancel();
        const left = all.kinks > 0 ? ` ${all.kinks.toLocaleString("en")} sit at a kink, where there is no derivative, and were left out.` : "";
        const good = all.wrong.length === 0;
        const found = good
            ? `✓ ${checkedOf(all)} parameters agree, and so do the errors, the slopes and the input.`
            : `✗ These differ: ${all.wrong.join(", ")}.`;
        const figure = all.worst === "" ? "" : ` Largest relative error: ${all.error.toExponential(1).replace("-", "−")}, in ${all.worst}.`;
        this.result.textContent = `${found}${figure}${left}`;
        this.result.className = `bp-result ${good ? "bp-good" : "bp-bad"}`;
        announce(this.result.textContent);
    }
}

/** "All 101,770", or of a very large network "5,000, evenly spread, of 11,972,510". */
function checkedOf({ checked, parameters }) {
    const [some, every] = [checked, parameters].map((count) => count.toLocaleString("en"));
    return checked === parameters ? `All ${every}` : `${some}, evenly spread, of ${every}`;
}

/** A name such as "∂C/∂W^10" in plain text: "∂C/∂W¹⁰". */
function raised(text) {
    return text.replace(/\^(\d+)/g, (_, index) => [...index].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join(""));
}

function note(all, part, verdict) {
    if (part.kind === "gW" || part.kind === "gb") {
        all.checked += verdict.count;
        all.parameters += part.values.length;
    }
    all.kinks += verdict.kinks;
    if (!verdict.tiny && verdict.error > all.error) {
        all.error = verdict.error;
        all.worst = part.kind === "nW" ? "the descent" : raised(part.text);
    }
    if (!verdict.ok) {
        all.wrong.push(raised(part.text));
    }
}
