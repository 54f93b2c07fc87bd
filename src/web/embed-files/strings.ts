/** What is said of files in English. */

export const ENGLISH_FILES = {
  attach: "Send a file",
  picture: "Picture: {0}",
  uploading: "Sending {0} …",
  uploaded: "{0} has been sent.",
  tooLarge: "A file may have {0} at most.",
};
