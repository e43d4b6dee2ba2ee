/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each shell's script, made from the table of commands and their options. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <argp.h>

#include "cli.h"

/* In two pieces, or it would be taken for a source file's own. */
#define SCRIPT_LICENSE "# SPDX-License" "-Identifier: GPL-2.0-or-later\n"

int completion_bash(void);
int completion_zsh(void);
int completion_fish(void);

/* Calls back for each option that any command takes, once each. */
void every_option(void (*call)(const struct argp_option *option, void *data),
		  void *data);

/* Is the option's value one of this sort? Its name in the usage tells. */
bool takes(const struct argp_option *option, const char *sort);

/* Which words it can be, where its name is those; else NULL. */
const char *value_words(const struct argp_option *option);

#endif
