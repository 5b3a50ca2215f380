/** The page in German. It says du, as one person does who shows another how it goes. */

import type { Translation } from "../texts";
import { app } from "./app";
import { auth } from "./auth";
import { common } from "./common";
import { errors } from "./errors";
import { units } from "./units";

const de: Translation = { app, auth, common, errors, units };

export default de;
