/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of config.json and their numbers. Callers: the rows, the rules, features, and modules that print a
 * word.
 */
#pragma once
#include "util/jx.h"

extern const struct jx_word spec_namespace_words[];     /* CLONE_NEW* */
extern const struct jx_word spec_rlimit_words[];        /* RLIMIT_* */
extern const struct jx_word spec_sched_policy_words[];  /* SCHED_* */
extern const struct jx_word spec_sched_flag_words[];    /* SCHED_FLAG_* */
extern const struct jx_word spec_io_class_words[];      /* 1 to 3 */
extern const struct jx_word spec_propagation_words[];   /* MS_SHARED ..., with MS_REC for r-words */
extern const struct jx_word spec_domain_words[];        /* PER_* */
extern const struct jx_word spec_policy_mode_words[];   /* MPOL_* */
extern const struct jx_word spec_policy_flag_words[];   /* MPOL_F_* */
extern const struct jx_word spec_device_words[];        /* 'c', 'b', 'u', 'p' */
extern const struct jx_word spec_device_rule_words[];   /* 'a', 'b', 'c' */
extern const struct jx_word spec_action_words[];        /* enum spec_action */
extern const struct jx_word spec_compare_words[];       /* enum spec_compare */
extern const struct jx_word spec_filter_flag_words[];   /* SECCOMP_FILTER_FLAG_* */
extern const struct jx_word spec_arch_words[];          /* names; the numbers only count them */
extern const struct jx_word spec_capability_words[];    /* CAP_* of capability.h */
extern const struct jx_word spec_clock_words[];         /* CLOCK_* */
