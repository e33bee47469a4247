// "What would change its mind?": a slider along the path on which the answer becomes another.

import { announce, element, inSlices, paintInk, paintSigned, picture, repaintOn, shown } from "../shared/widgets.js";
import { nameOf, valueText, wordFor } from "../stage/answers.js";
import { largest, pathToAnother } from "./mind.js";

/** The path with its places collected; yields how many there are. */
function* collecting(path, places) {
    for (const place of path) {
        yield places.push(place);
    }
}

/** The section, for whatever input the store holds. */
export class Nudging {
    constructor(panel, store) {
        Object.assign(this, { store, panel, places: [], stop: new AbortController() });
        this.goal = element("select", { id: "mind-goal", onchange: () => this.begin() });
        this.slider = element("input", {
            id: "mind-amount", type: "range", min: "0", max: "0", value: "0", step: "1", "aria-describedby": "mind-told",
            oninput: () => this.show(true),
        });
        this.told = element("p", { id: "mind-told" });
        this.before = picture("The original picture");
        this.change = picture("The change");
        this.after = picture("The changed picture");
        this.scale = element("span");
        const figure = (canvas, ...text) => element("figure", {}, canvas, element("figcaption", {}, ...text));
        this.legend = element("p", { class: "small muted" },
            "Blue pixels get more ink, orange ones less. Every step follows the gradient, by the input, of z of the class that is to win minus z of " +
            "its strongest rival: BP2, one layer further.");
        this.images = element("div", { class: "row pictures" }, figure(this.before, "as it is"),
            figure(this.change, this.scale), figure(this.after, "changed"));
        this.body = element("div", {},
            element("div", { class: "row mind-controls" },
                element("span", { class: "row" }, element("label", { for: "mind-goal" }, "into"), this.goal),
                element("span", { class: "row mind-amount" }, element("label", { for: "mind-amount" }, "how far"), this.slider)),
            this.told, this.images, this.legend);
        this.hint = element("p", { class: "muted" });
        this.node = element("section", { class: "mind" }, element("h2", {}, "What would change its mind?"), this.hint, this.body);
        repaintOn(store, panel, ["x", "network", "label", "tab"], () => this.begin(true));
    }

    /** Looks for the path anew: for another input or network with the goal that suits it, else with the one chosen. */
    begin(anew = false) {
        const { x, network } = this.store;
        const possible = x !== null && network?.task === "classes" && network.sizes.at(-1) > 1;
        this.body.hidden = !possible;
        this.hint.hidden = possible;
        this.hint.textContent = network ? `Choose one of the ${wordFor(network)}s to see what would change the answer.` : "";
        if (!possible) {
            return;
        }
        if (anew && x === this.seen && network === this.seenNetwork && this.places.length > 0) {
            return this.show();
        }
        Object.assign(this, { seen: x, seenNetwork: network, places: [] });
        if (anew) {
            this.offer();
        }
        const goal = this.goal.value === "" ? null : Number(this.goal.value);
        const path = pathToAnother(network, x, { goal, isImage: network.imageShape !== null });
        this.stop.abort();
        this.stop = new AbortController();
        inSlices(collecting(path, this.places), () => {}, this.stop.signal).then(() => this.found());
    }

    /** The classes that it could be made to answer; what the data say comes first where the answer is wrong. */
    offer() {
        const { network, answer, label } = this.store;
        const names = network.classNames.map((_, index) => index).filter((index) => index !== answer);
        this.goal.replaceChildren(element("option", { value: "" }, "whatever is next"),
            ...names.map((index) => element("option", { value: index }, nameOf(network, index))));
        this.goal.value = label !== null && label !== answer ? String(label) : "";
    }

    /** Shows the path now that all its places are known. */
    found() {
        this.flip = this.places.findIndex(({ answer }) => answer !== this.places[0].answer
            && (this.goal.value === "" || answer === Number(this.goal.value)));
        this.slider.max = String(this.places.length - 1);
        this.slider.value = String(Math.max(0, this.flip));
        this.show();
    }

    /** Shows the slider's place on the path. `speak`: tell a screen reader. */
    show(speak = false) {
        const { network } = this.store;
        const [start, place] = [this.places[0], this.places[Number(this.slider.value)]];
        if (!place) {
            return;
        }
        this.told.textContent = this.sentence(start, place);
        this.slider.setAttribute("aria-valuetext", `${shown(place.distance)}: reads ${nameOf(network, place.answer)}`);
        [this.images, this.legend].forEach((part) => (part.hidden = network.imageShape === null));
        if (network.imageShape !== null) {
            this.paint(start.x, place.x, network.imageShape);
        }
        if (speak) {
            announce(this.told.textContent);
        }
    }

    paint(from, to, [height, width]) {
        [this.before, this.change, this.after].forEach((canvas) => Object.assign(canvas, { width, height }));
        const most = Math.max(1e-9, ...this.places.at(-1).x.map((each, k) => Math.abs(each - from[k])));
        this.scale.textContent = `the change, ±${shown(most)} in full color`;
        paintInk(this.before, from.map((each) => 255 * each));
        paintSigned(this.change, to.map((each, k) => each - from[k]), most);
        paintInk(this.after, to.map((each) => 255 * each));
    }

    sentence(start, place) {
        const { network } = this.store;
        const say = (index, outputs) => `${nameOf(network, index)} (${valueText(network, outputs[index])})`;
        const one = `It reads ${say(start.answer, start.outputs)}.`;
        if (this.places.length === 1) {
            return `${one} No step would change that: the gradient is 0.`;
        }
        const size = `a change of ${shown(place.distance)} in all, ${shown(place.distance / Math.sqrt(place.x.length))} ${network.imageShape ? "a pixel" : "an input"}`;
        const now = place === start ? "" : place.answer === start.answer
            ? ` After ${size}, it still reads ${say(place.answer, place.outputs)}, next ${say(largest(place.outputs, place.answer), place.outputs)}.`
            : ` After ${size}, it reads ${say(place.answer, place.outputs)}.`;
        const flip = this.flip > 0 ? ` The answer changes at ${shown(this.places[this.flip].distance)}.`
            : " No step on this path changes the answer.";
        return one + now + flip;
    }
}
