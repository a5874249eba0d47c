// The page in a browser: questions go to the server that this file came from, and nowhere else.
import { startExplorer } from "./shell.js";

async function askServer(name, given = {}) {
  let answer;
  try {
    answer = await fetch(`api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(given),
    });
  } catch {
    return { error: "the program that shows this page has ended; start it again" };
  }
  return answer.json();
}

startExplorer(document.getElementById("app"), askServer, { page: true });
