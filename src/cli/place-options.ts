/** How the commands for GitHub find out which repository is meant. */
export const placeOptions = {
  remote: {
    type: 'string' as const,
    describe: 'Remote of git; default: that of the branch, or origin',
    requiresArg: true,
  },
  repository: {
    type: 'string' as const,
    describe: 'Repository on GitHub as OWNER/NAME; default: that of the remote',
    requiresArg: true,
  },
};
