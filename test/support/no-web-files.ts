/** Stands for the module "enjamb:web" where nothing was built. */
export const files = {};
