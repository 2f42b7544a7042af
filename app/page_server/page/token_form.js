// Asks for the token of a page server that is reached from beyond this machine.

import { get, setToken, token } from "./api.js";
import { at, text } from "./dom.js";
import { on } from "./store.js";

export function startTokenForm() {
  on("token", () => {
    if (token()) text(at("token-problem"), "This token is wrong.");
    setToken(null);
    at("token-form").hidden = false;
    document.body.classList.add("locked");
    at("token").focus();
  });
  at("token-form").onsubmit = async (event) => {
    event.preventDefault();
    setToken(at("token").value.trim());
    try {
      await get("/api/session");
    } catch (error) {
      if (error.status === 401) return; // said above
    }
    location.reload(); // everything is asked again, with the token
  };
}
