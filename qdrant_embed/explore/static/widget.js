// The page in a notebook: questions go to the kernel as messages.
import { startExplorer } from "./shell.js";

export default {
  render({ model, el }) {
    const waiting = new Map();
    // A notebook may show a widget twice, and each view hears the answers to both: numbers are a view's own.
    const view = Math.random().toString(36).slice(2);
    let number = 0;
    const take = (message) => {
      waiting.get(message.number)?.(message.found);
      waiting.delete(message.number);
    };
    model.on("msg:custom", take);
    const ask = (name, given = {}) =>
      new Promise((resolve) => {
        number += 1;
        const own = `${view}-${number}`;
        waiting.set(own, resolve);
        model.send({ number: own, name, given });
      });
    const root = document.createElement("div");
    el.append(root);
    const stop = startExplorer(root, ask, { page: false });
    return () => {
      stop();
      model.off("msg:custom", take);
    };
  },
};
