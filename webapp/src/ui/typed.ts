/** Where keys are typed, or have a meaning of their own. */
export const TYPED =
  "input:not([type=radio], [type=checkbox], [type=range]), textarea, select, dialog, [contenteditable]";
