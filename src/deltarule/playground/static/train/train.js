// Train: a recipe that Python trains, or a network that the user builds and this page trains, one at a time.

import { button, element } from "../shared/widgets.js";
import { Bench } from "./bench.js";
import { Choice, Lesson } from "./panel.js";

/** Mounts the tab into its panel. server: null in a page of one file; trainer: of this page */
export async function mount(panel, store, server, trainer) {
    const lessons = [new Bench(panel, store, trainer)];
    if (server) {
        panel.replaceChildren(element("p", { class: "muted" }, "Reading what can be trained …"));
        await server.json("catalogue").then(
            (catalogue) => lessons.unshift(new Lesson(panel, store, server, new Choice(catalogue))),
            ({ message }) => panel.replaceChildren(element("p", { role: "alert" }, message)),
        );
    }
    let shown = null;
    const choose = (lesson) => {
        if (lesson === shown) {
            return; // an element removed and put back during a click does not get it
        }
        if (shown?.run) {
            shown.verdict.textContent = "One run at a time: stop this one first.";
            return;
        }
        shown = lesson;
        buttons.forEach((each, at) => each.setAttribute("aria-pressed", String(lessons[at] === lesson)));
        panel.replaceChildren(...lessons.length > 1 ? [switches] : [], lesson.node);
        lesson.show();
        lesson.repaint();
    };
    const buttons = ["Recipes, in Python", "Your own, in this page"].map((text, at) => button(text, () => choose(lessons[at])));
    const switches = element("div", { class: "row", role: "group", "aria-label": "What to train" }, ...buttons);
    store.on(["build"], () => store.build && choose(lessons.at(-1))); // of an address
    choose(store.build ? lessons.at(-1) : lessons[0]);
}
