export { app } from "./app";
export { auth } from "./auth";
export { common } from "./common";
export { errors } from "./errors";
export { units } from "./units";
