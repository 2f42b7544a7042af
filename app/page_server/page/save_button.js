// A button that saves a file of the server; what goes wrong stands in the strip below the tabs.

import { ApiError, download } from "./api.js";
import { banner } from "./banner.js";
import { button } from "./dom.js";

export function saveButton(words, path, name, label, look = "small") {
  return button(words, () => save(path, name), { symbol: "save", look, label });
}

async function save(path, name) {
  try {
    await download(path, name);
    banner.clear("download");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    banner.problems("download", error.problems);
  }
}
