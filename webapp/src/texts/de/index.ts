/** The page in German. It says du, as one person does who shows another how it goes. */

import type { Translation } from "../texts";
import { app } from "./app";
import { auth } from "./auth";
import { common } from "./common";
import { embed } from "./embed";
import { errors } from "./errors";
import { examples } from "./examples";
import { figures } from "./figures";
import { files } from "./files";
import { gallery } from "./gallery";
import { home } from "./home";
import { job } from "./job";
import { keys } from "./keys";
import { options } from "./options";
import { photo } from "./photo";
import { reference } from "./reference";
import { result } from "./result";
import { select } from "./select";
import { share } from "./share";
import { shared } from "./shared";
import { shortcuts } from "./shortcuts";
import { statuses } from "./statuses";
import { units } from "./units";
import { viewer } from "./viewer";
import { webhooks } from "./webhooks";

const de: Translation = {
  app,
  auth,
  common,
  errors,
  units,
  photo,
  home,
  gallery,
  keys,
  shared,
  files,
  statuses,
  job,
  options,
  result,
  share,
  embed,
  figures,
  viewer,
  reference,
  select,
  shortcuts,
  examples,
  webhooks,
};

export default de;
